"""G.711 (ITU-T): 16-bit samples to octets and back."""

from __future__ import annotations

from collections.abc import Iterable

_BIAS = 0x84
_CLIP = 32635


def _decode_ulaw(octet: int) -> int:
    octet = ~octet & 0xFF
    magnitude = (((octet & 0x0F) << 3) + _BIAS << (octet >> 4 & 0x07)) - _BIAS
    return -magnitude if octet & 0x80 else magnitude


def _decode_alaw(octet: int) -> int:
    octet ^= 0x55
    segment, magnitude = octet >> 4 & 0x07, (octet & 0x0F) << 4
    magnitude = magnitude + 8 if segment == 0 else magnitude + 0x108 << segment - 1
    return magnitude if octet & 0x80 else -magnitude


def _encode_ulaw(sample: int) -> int:
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, _CLIP) + _BIAS
    segment = max(0, magnitude.bit_length() - 8)
    return ~(sign | segment << 4 | magnitude >> segment + 3 & 0x0F) & 0xFF


def _encode_alaw(sample: int) -> int:
    sign, magnitude = (0x80, sample) if sample >= 0 else (0, -sample - 1)
    magnitude = min(magnitude, 0x7FFF)
    segment = max(0, magnitude.bit_length() - 8)
    step = magnitude >> 4 if segment == 0 else magnitude >> segment + 3
    return (sign | segment << 4 | step & 0x0F) ^ 0x55


ENCODE = {0: _encode_ulaw, 8: _encode_alaw}
DECODE = {
    0: [_decode_ulaw(octet) for octet in range(256)],
    8: [_decode_alaw(octet) for octet in range(256)],
}


def encode(payload_type: int, samples: Iterable[int]) -> bytes:
    """PCMU for payload type 0, PCMA for 8."""
    return bytes(map(ENCODE[payload_type], samples))


def decode(payload_type: int, octets: bytes) -> list[int]:
    return [DECODE[payload_type][octet] for octet in octets]
