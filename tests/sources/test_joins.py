from __future__ import annotations

from dataclasses import replace

import pytest

from querist.sources.base import Column, ColumnProfile, ForeignKey, Profile, Schema, TableProfile, TableSchema
from querist.sources.joins import Edge, JoinGraph, flat, join_graph, misspelt, words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("OrderDetails_ID", ["order", "detail", "id"]),
        ("HTTPStatus", ["http", "status"]),
        ("unit price (€)", ["unit", "price"]),
        ("Categories", ["category"]),
        ("addresses", ["address"]),
        ("boxes", ["box"]),
    ],
)
def test_names_are_read_as_words(name: str, words: list[str]) -> None:
    assert words_of(name) == words


def test_names_that_differ_in_writing_only_are_the_same() -> None:
    assert flat("Pet_Types") == flat("petType") == flat("PET TYPE")
    assert flat("année") and flat("数量") == "数量"


def table(name: str, *columns: str, key: str = "") -> TableSchema:
    return TableSchema(name, tuple(Column(c, "INTEGER", "integer") for c in columns), primary_key=(key,) if key else ())


def edges(*tables: TableSchema, profile: Profile | None = None) -> set[tuple[str, str, str, str]]:
    graph = join_graph(Schema("sqlite", tables), profile)
    return {(e.left, e.left_column, e.right, e.right_column) for e in graph.edges}


def test_keys_are_inferred_from_names() -> None:
    customers, orders = table("customers", "id", "age", key="id"), table("orders", "id", "customer_id", key="id")
    assert edges(customers, orders) == {("orders", "customer_id", "customers", "id")}
    assert edges(table("airline", "code", key="code"), table("flight", "airline")) == {
        ("flight", "airline", "airline", "code")
    }


def test_two_tables_that_both_have_an_id_do_not_join_on_it() -> None:
    assert edges(table("apple", "id", key="id"), table("pear", "id", key="id")) == set()


def test_values_outside_the_parents_range_are_no_reference() -> None:
    tables = table("shop", "shop_id", key="shop_id"), table("sale", "shop_id", "n")
    within, beyond = (
        Profile(
            "f",
            (
                TableProfile("shop", 3, (ColumnProfile("shop_id", 0, 3, minimum=1, maximum=3),)),
                TableProfile("sale", 9, (ColumnProfile("shop_id", 0, 3, minimum=1, maximum=highest),)),
            ),
        )
        for highest in (3, 40)
    )
    assert edges(*tables, profile=within) == {("sale", "shop_id", "shop", "shop_id")}
    assert edges(*tables, profile=beyond) == set()


def test_a_declared_key_silences_guesses_between_the_same_tables() -> None:
    depot = table("Depot", "DEPOT_ID", "chief", key="DEPOT_ID")
    truck = replace(table("truck", "depot_id"), foreign_keys=(ForeignKey(("depot_id",), "Depot", ("DEPOT_ID",)),))
    graph = join_graph(Schema("sqlite", (depot, truck)))
    assert graph.edges == (Edge("truck", "depot_id", "Depot", "DEPOT_ID", declared=True),)
    assert graph.joins("TRUCK", "depot_id", "Depot", "DEPOT_ID")


def test_a_path_leads_over_the_tables_between() -> None:
    graph = JoinGraph(Edge(a, "k", b, "k", True) for a, b in ("ab", "bc", "cd"))
    path = graph.path(["a"], "d")
    assert path is not None
    assert [edge.right for edge in path] == ["b", "c", "d"]
    assert graph.path(["a"], "a") == []
    assert graph.path(["a"], "moon") is None


def test_a_path_is_no_longer_than_asked() -> None:
    chain = JoinGraph(Edge(a, "k", b, "k", True) for a, b in ("ab", "bc", "cd", "de"))
    assert chain.path(["a"], "e") is None
    assert len(chain.path(["a"], "e", longest=4) or ()) == 4


def test_a_chain_that_another_as_short_one_contradicts_is_none() -> None:
    edges = [
        Edge("leg", "start", "port", "code", declared=True),
        Edge("leg", "landing", "port", "code", declared=True),
        Edge("bag", "leg_id", "leg", "id", declared=True),
    ]
    graph = JoinGraph(edges)
    assert graph.sole_path(["bag"], "leg") == edges[2:]
    assert graph.sole_path(["bag"], "port") is None
    assert graph.path(["bag"], "port") is not None


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("heigth", "height", True),
        ("dep_town", "deptown", True),
        ("quantiti_sold", "quantity_sold", True),
        ("inactive", "active", False),
        ("atypical", "typical", False),
        ("latitude", "altitude", False),
        ("age", "wage", False),
        ("rate", "date", False),
        ("sales_2024", "sales_2025", False),
        ("max_speed", "min_speed", False),
    ],
)
def test_one_letter_of_a_long_word_is_a_slip(one: str, other: str, slip: bool) -> None:
    assert misspelt(words_of(one), words_of(other)) is slip
