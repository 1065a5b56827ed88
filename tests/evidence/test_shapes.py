"""Who is meant by an interface that nobody says to implement."""

from __future__ import annotations

from pathlib import Path

from archgen.evidence.collect import collect


def _effects(tmp_path: Path, files: dict[str, str], function: str) -> set[str]:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    program = collect(tmp_path).program
    return {
        f"{e.kind} by {e.via[0]}"
        for _, one in program.functions()
        if one.name == function
        for e in one.reach
        if e.via
    }


_STORES = """
package store

type Reader interface {
\tLoad(id string) (*Order, error)
}

type Store interface {
\tReader
\tKeep(order *Order) error
}

type Postgres struct{ db *sql.DB }

func (p *Postgres) Load(id string) (*Order, error) { return nil, nil }
func (p *Postgres) Keep(order *Order) error {
\t_, err := p.db.Exec("INSERT INTO orders VALUES ($1)", order.ID)
\treturn err
}

type Archive struct{ db *sql.DB }

func (a *Archive) Keep(order *Order) error {
\t_, err := a.db.Exec("INSERT INTO archive VALUES ($1)", order.ID)
\treturn err
}
"""


def test_who_has_all_methods_of_a_go_interface_is_meant_embedded_ones_included(tmp_path: Path) -> None:
    use = "package shop\n\nfunc Place(s store.Store, o *Order) error { return s.Keep(o) }\n"
    found = _effects(tmp_path, {"store/store.go": _STORES, "shop/place.go": use}, "Place")
    assert found == {"db.write by Postgres.Keep"}


def test_of_two_interfaces_of_one_name_the_closer_one_counts(tmp_path: Path) -> None:
    other = "package mail\n\ntype Store interface {\n\tKeep(order *Order) error\n\tDrop(id string) error\n}\n"
    use = "package shop\n\nfunc Place(s Store, o *Order) error { return s.Keep(o) }\n"
    files = {"shop/store/store.go": _STORES, "mail/store.go": other, "shop/place.go": use}
    assert _effects(tmp_path, files, "Place") == {"db.write by Postgres.Keep"}


def test_what_a_struct_embeds_lends_it_its_methods(tmp_path: Path) -> None:
    text = """
package store

type Store interface {
\tKeep(order *Order) error
\tClose() error
}

type base struct {
\tdb *sql.DB
}

func (b *base) Close() error { return b.db.Close() }

type Postgres struct {
\tbase
}

func (p *Postgres) Keep(order *Order) error {
\t_, err := p.db.Exec("INSERT INTO orders VALUES ($1)", order.ID)
\treturn err
}
"""
    text += """
type Archive struct{ db *sql.DB }

func (a *Archive) Keep(order *Order) error {
\t_, err := a.db.Exec("INSERT INTO archive VALUES ($1)", order.ID)
\treturn err
}
"""
    use = "package shop\n\nfunc Place(s store.Store, o *Order) error { return s.Keep(o) }\n"
    found = _effects(tmp_path, {"store/store.go": text, "shop/place.go": use}, "Place")
    assert found == {"db.write by Postgres.Keep"}
