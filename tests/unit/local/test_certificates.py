"""The development authority and what it signs."""

import datetime
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from edgewright.local import certificates
from edgewright.local.artifact import Certificate
from edgewright.local.certificates import issue, sweep
from edgewright.local.state import StateFolder

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WEB = Certificate("web", ("api.shop.example", "*.shop.example"))


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "s")
    folder.prepare()
    return folder


def _leaf(state: StateFolder, certificate: Certificate = WEB, now: datetime.datetime = NOW) -> x509.Certificate:
    files = issue(state, [certificate], now).files
    return x509.load_pem_x509_certificate((state / files[f"tls/{certificate.name}.crt"]).read_bytes())


def test_a_leaf_is_signed_by_the_authority_for_its_hosts_and_this_machine(state: StateFolder) -> None:
    leaf = _leaf(state)
    authority = x509.load_pem_x509_certificate((state / certificates.AUTHORITY).read_bytes())
    leaf.verify_directly_issued_by(authority)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["api.shop.example", "*.shop.example", "localhost"]
    assert [str(item) for item in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_the_authority_signs_and_a_leaf_does_not(state: StateFolder) -> None:
    leaf = _leaf(state)
    authority = x509.load_pem_x509_certificate((state / certificates.AUTHORITY).read_bytes())
    constraints = [
        item.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for item in (authority, leaf)
    ]
    assert constraints == [True, False]
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)


def test_a_good_certificate_is_kept(state: StateFolder) -> None:
    assert issue(state, [WEB], NOW) == issue(state, [WEB], NOW + datetime.timedelta(days=30))


def test_other_hosts_make_another_certificate_under_the_same_authority(state: StateFolder) -> None:
    first = issue(state, [WEB], NOW)
    authority = (state / certificates.AUTHORITY).read_bytes()
    second = issue(state, [Certificate("web", ("other.example",))], NOW)
    assert first.files["tls/web.crt"] != second.files["tls/web.crt"], "Envoy would not see that it has changed"
    assert (state / certificates.AUTHORITY).read_bytes() == authority


def test_a_certificate_is_renewed_before_it_expires(state: StateFolder) -> None:
    first = _leaf(state)
    late = NOW + datetime.timedelta(days=certificates.LEAF_DAYS - certificates.RENEW_DAYS + 1)
    assert _leaf(state, now=late).not_valid_after_utc > first.not_valid_after_utc


def test_a_damaged_certificate_is_issued_again(state: StateFolder) -> None:
    files = issue(state, [WEB], NOW).files
    (state / files["tls/web.crt"]).write_text("damaged")
    assert issue(state, [WEB], NOW).files != files


def test_a_lost_authority_key_makes_a_new_authority_and_new_leaves(state: StateFolder) -> None:
    first = _leaf(state)
    (state / "tls/ca.key").unlink()
    second = _leaf(state)
    assert second.serial_number != first.serial_number
    second.verify_directly_issued_by(x509.load_pem_x509_certificate((state / certificates.AUTHORITY).read_bytes()))


def test_keys_are_closed_to_others(state: StateFolder) -> None:
    issue(state, [WEB], NOW)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (state / "tls").iterdir()} == {0o600}


def test_sweeping_keeps_what_is_used_and_nothing_else(state: StateFolder) -> None:
    old = issue(state, [WEB, Certificate("admin", ())], NOW)
    new = issue(state, [Certificate("web", ("other.example",))], NOW)
    sweep(state, new)
    names = {f"tls/{path.name}" for path in (state / "tls").iterdir()}
    assert names == {"tls/ca.key", "tls/index.json", *new.files.values()}
    assert not names & set(old.files.values())
    assert issue(state, [Certificate("web", ("other.example",))], NOW) == new


def test_nothing_is_made_when_nothing_is_wanted(state: StateFolder) -> None:
    assert issue(state, [], NOW).files == {}
    assert not (state / certificates.AUTHORITY).exists()


def test_a_host_with_letters_beyond_ascii_gets_its_wire_form(state: StateFolder) -> None:
    names = _leaf(state, Certificate("web", ("bücher.example",))).extensions
    assert "xn--bcher-kva.example" in names.get_extension_for_class(
        x509.SubjectAlternativeName
    ).value.get_values_for_type(x509.DNSName)
