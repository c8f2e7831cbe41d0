"""Digests in components: of what is known a digest, of what only the cloud knows a token."""

from hashlib import sha256

from edgewright.clouds.digests import TOKEN, digest, shortened
from edgewright.plan.tokens import stands_in, token

KNOWN = '{"title": "${stageVariables.title}"}'
LATER = f'{{"uri": "{token("lb.Listener shop-services", "arn")}"}}'


def test_a_known_text_has_its_sha_256() -> None:
    assert digest(KNOWN) == sha256(KNOWN.encode()).hexdigest()
    assert shortened(digest(KNOWN), 10) == digest(KNOWN)[:10]


def test_of_a_text_with_tokens_the_digest_is_a_token_and_another_for_another_text() -> None:
    found = digest(LATER)
    assert stands_in(found)
    assert found != digest(LATER.replace("uri", "url"))
    assert found == digest(LATER)


def test_a_token_is_shortened_to_the_digits_that_the_digest_will_have() -> None:
    held = TOKEN.fullmatch(shortened(digest(LATER), 6))
    assert held is not None
    assert digest(LATER).startswith("${digest text." + held[1])
    assert len(held[1]) == 6
    assert stands_in(f"user{held[0]}")
