"""Makes the example data: a shop's folder (CSV, Excel) and a public library's SQLite database. All of it is invented.

Run `python examples/make_examples.py` from the repository; the same data come out every time.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
import sqlite3
from pathlib import Path

import xlsxwriter

HERE = Path(__file__).parent
REGIONS = {
    "Coast": ["Seaborough", "Port Alder", "Whitecliff"],
    "Hills": ["Upper Fenwick", "Stonegate", "Marrow Hill"],
    "Lowlands": ["Reedham", "Millbrook", "Eastmere"],
    "Capital": ["Grand Arden"],
}
FIRST = (
    "Ada Bram Carla Dov Elif Farid Greta Hugo Ines Jonas Keiko Liam Mara Nils Olga Pavel Quinn Rosa Sami Tess".split()
)
LAST = (
    "Abara Brandt Castillo Dunne Eriksen Fontaine Gruber Haddad Ivanova Jansen Kowalski Lindqvist Moreau Novak".split()
)


def make_shop(folder: Path) -> None:
    """customers.csv, products.csv, orders.csv and targets.xlsx of a shop for outdoor goods, 2024 and 2025."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(20240)
    towns = [(region, town) for region, names in REGIONS.items() for town in names]
    weights = [8 if region == "Capital" else 3 if region == "Coast" else 2 for region, _ in towns]
    customers = []
    for number in range(1, 241):
        region, town = rng.choices(towns, weights)[0]
        name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
        since = dt.date(2021, 1, 1) + dt.timedelta(days=rng.randrange(1000))
        email = "" if rng.random() < 0.12 else f"{name.split()[0].lower()}.{number}@example.com"
        kind = rng.choices(["private", "club", "school"], [8, 2, 1])[0]
        customers.append([f"C{number:04}", name, email, town, region, f"0{rng.randrange(1000, 9999)}", kind, since])
    header = ["customer_id", "name", "email", "town", "region", "postcode", "kind", "customer since"]
    _write(folder / "customers.csv", header, customers)

    goods = [
        ("Two-person tent", "Camping", 189.0, 3200),
        ("Sleeping bag", "Camping", 84.5, 1400),
        ("Gas stove", "Camping", 39.9, 420),
        ("Head torch", "Camping", 24.95, 90),
        ("Trekking poles", "Hiking", 59.0, 510),
        ("Rain jacket", "Hiking", 129.0, 380),
        ("Hiking boots", "Hiking", 149.95, 1250),
        ("Day pack 25 l", "Hiking", 74.0, 880),
        ("Touring kayak", "Water", 899.0, 21000),
        ("Paddle", "Water", 69.0, 950),
        ("Dry bag", "Water", 19.5, 210),
        ("Climbing rope 60 m", "Climbing", 139.0, 3700),
        ("Harness", "Climbing", 64.9, 430),
        ("Chalk bag", "Climbing", 14.95, None),
        ("Map of the Hills", "Books", 9.9, 80),
    ]
    products = [[f"P{n:02}", *good] for n, good in enumerate(goods, start=1)]
    _write(folder / "products.csv", ["product_id", "product", "category", "price", "weight_g"], products)

    orders = []
    for number in range(1, 1401):
        day = dt.date(2024, 1, 2) + dt.timedelta(days=int(730 * rng.random() ** 0.85) % 729)
        customer = customers[min(int(rng.expovariate(1 / 70)), len(customers) - 1)]
        product = rng.choices(products, [3, 4, 5, 8, 5, 5, 4, 6, 1, 3, 7, 2, 3, 6, 7])[0]
        quantity = rng.choices([1, 2, 3, 5, 10], [60, 20, 9, 7, 4])[0]
        discount = rng.choices([0, 5, 10, 20], [70, 12, 12, 6])[0]
        status = rng.choices(["delivered", "shipped", "returned", "cancelled"], [86, 4, 6, 4])[0]
        total = round(product[3] * quantity * (100 - discount) / 100, 2)
        rating = (
            "" if status != "delivered" or rng.random() < 0.45 else rng.choices([1, 2, 3, 4, 5], [3, 5, 12, 40, 40])[0]
        )
        orders.append([number, day, customer[0], product[0], quantity, f"{discount}%", f"{total:.2f}", status, rating])
    orders.sort(key=lambda order: order[1])
    for number, order in enumerate(orders, start=10001):
        order[0] = number
    header = [
        "order_id",
        "ordered on",
        "customer_id",
        "product_id",
        "quantity",
        "discount",
        "total",
        "status",
        "rating",
    ]
    _write(folder / "orders.csv", header, orders)
    _write_targets(folder / "targets.xlsx", rng)


def _write_targets(path: Path, rng: random.Random) -> None:
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": dt.datetime(2025, 1, 6)})
    bold = book.add_format({"bold": True})
    for year in (2024, 2025):
        sheet = book.add_worksheet(str(year))
        sheet.write(0, 0, f"Sales targets {year}", bold)
        for column, title in enumerate(["Region", "Quarter", "Target", "Manager"]):
            sheet.write(2, column, title, bold)
        row = 3
        for region in REGIONS:
            manager = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
            for quarter in range(1, 5):
                target = rng.randrange(40, 130) * 100 * (2 if region == "Capital" else 1)
                sheet.write_row(row, 0, [region, f"Q{quarter}", target])
                sheet.write(row, 3, manager if quarter < 4 or year == 2024 else None)
                row += 1
    book.add_worksheet("Notes")
    book.close()


SCHEMA = """
CREATE TABLE branches (
    branch_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    district TEXT NOT NULL,
    opened INTEGER, -- year
    seats INTEGER
);
CREATE TABLE books (
    book_id INTEGER PRIMARY KEY,
    isbn TEXT UNIQUE,
    title TEXT NOT NULL,
    author TEXT,
    genre TEXT NOT NULL,
    published INTEGER, -- year
    branch_id INTEGER NOT NULL REFERENCES branches, -- where the copy stands
    pages INTEGER
);
CREATE TABLE members (
    member_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    birth_year INTEGER,
    joined DATE NOT NULL,
    home_branch_id INTEGER REFERENCES branches (branch_id),
    card TEXT NOT NULL -- adult, junior or senior
);
CREATE TABLE loans (
    loan_id INTEGER PRIMARY KEY,
    book_id INTEGER NOT NULL REFERENCES books (book_id),
    member_id INTEGER NOT NULL REFERENCES members (member_id),
    lent_on DATE NOT NULL,
    due_on DATE NOT NULL,
    returned_on DATE, -- NULL while the book is out
    renewals INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE fines (
    fine_id INTEGER PRIMARY KEY,
    loan_id INTEGER NOT NULL REFERENCES loans (loan_id),
    cents INTEGER NOT NULL, -- amount in euro cents
    reason TEXT NOT NULL, -- late, damaged or lost
    paid_on DATE -- NULL while it is open
);
"""


def make_library(path: Path) -> None:
    """A town's public library: five related tables, 2023 to 2025."""
    rng = random.Random(777)
    path.unlink(missing_ok=True)
    con = sqlite3.connect(path)
    con.executescript(SCHEMA)
    branches = [
        (1, "Central", "Old Town", 1931, 140),
        (2, "Riverside", "Harbour", 1987, 45),
        (3, "Hazel Lane", "Northfield", 2004, 32),
        (4, "The Depot", "Railway Quarter", 2019, 60),
        (5, "Bookbus", "mobile", None, None),
    ]
    con.executemany("INSERT INTO branches VALUES (?, ?, ?, ?, ?)", branches)
    nouns = "Lantern Harbour Orchard Clockmaker Tide Winter Glasshouse Letter Cartographer Fox Mountain Silence".split()
    shapes = [
        "The {}",
        "A {} for Two",
        "The Last {}",
        "Under the {}",
        "The {} and the {}",
        "Return to the {}",
        "{} Songs",
    ]
    genres = ["novel", "crime", "children", "history", "science", "poetry", "travel", "cooking"]
    writers = [f"{first} {last}" for first in FIRST[:12] for last in LAST[:7]]
    books: list[tuple[object, ...]] = []
    titles: set[str] = set()
    for number in range(1, 401):
        title = rng.choice(shapes).format(*rng.sample(nouns, 2))
        if title in titles:
            title += f", volume {rng.randrange(2, 9)}"
        titles.add(title)
        author = None if rng.random() < 0.04 else rng.choice(writers)
        genre = rng.choices(genres, [9, 6, 7, 4, 3, 1, 2, 2])[0]
        branch = rng.choices([1, 2, 3, 4, 5], [10, 4, 3, 4, 1])[0]
        pages = None if rng.random() < 0.06 else rng.randrange(40, 780)
        isbn = f"979-0-{rng.randrange(10000, 99999)}-{number:03}-{number % 10}"
        books.append((number, isbn, title, author, genre, rng.randrange(1958, 2026), branch, pages))
    con.executemany("INSERT INTO books VALUES (?, ?, ?, ?, ?, ?, ?, ?)", books)
    members: list[tuple[object, ...]] = []
    for number in range(1, 301):
        born = rng.randrange(1938, 2018)
        card = "junior" if born > 2007 else "senior" if born < 1960 else "adult"
        joined = dt.date(2012, 1, 10) + dt.timedelta(days=rng.randrange(5000))
        home = None if rng.random() < 0.08 else rng.choices([1, 2, 3, 4], [8, 4, 3, 5])[0]
        name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
        members.append((number, name, None if rng.random() < 0.05 else born, joined.isoformat(), home, card))
    con.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?, ?)", members)
    fines: list[tuple[object, ...]] = []
    for number in range(1, 1601):
        lent = dt.date(2023, 1, 3) + dt.timedelta(days=rng.randrange(1060))
        renewals = rng.choices([0, 1, 2, 3], [70, 18, 8, 4])[0]
        due = lent + dt.timedelta(days=21 * (renewals + 1))
        back: dt.date | None = lent + dt.timedelta(days=min(int(rng.gauss(17, 9) + 21 * renewals), 200) % 200 + 1)
        if back is None or back > dt.date(2025, 12, 20) or rng.random() < 0.015:
            back = None
        member = members[int(300 * rng.random() ** 1.6)][0]
        book = books[int(400 * rng.random() ** 1.3)][0]
        con.execute(
            "INSERT INTO loans VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, book, member, lent.isoformat(), due.isoformat(), back and back.isoformat(), renewals),
        )
        if back and back > due:
            cents, reason = 20 * (back - due).days, "late"
        elif back and rng.random() < 0.01:
            cents, reason = rng.choice([500, 750, 1200]), "damaged"
        elif back is None and rng.random() < 0.3:
            cents, reason = 2500, "lost"
        else:
            continue
        paid = (back or due) + dt.timedelta(days=rng.randrange(90)) if rng.random() < 0.7 else None
        fines.append((len(fines) + 1, number, cents, reason, paid and paid.isoformat()))
    con.executemany("INSERT INTO fines VALUES (?, ?, ?, ?, ?)", fines)
    con.commit()
    con.execute("VACUUM")
    con.close()


def _write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    make_shop(HERE / "shop")
    make_library(HERE / "library.sqlite")
