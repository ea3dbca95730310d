"""Smaller pictures: a PNG of 32 bits becomes one of at most 256 colours, counted by the browser that took it."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

# The most frequent colours stay; every other one becomes the nearest of them.
_COUNT = """async (data) => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + data;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, image.width, image.height).data;
  const pixels = new Uint32Array(bytes.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) || 0) + 1);
  const kept = [...counts.entries()].sort((a, b) => b[1] - a[1]).slice(0, 256).map(entry => entry[0]);
  const place = new Map(kept.map((pixel, index) => [pixel, index]));
  const part = (pixel, shift) => (pixel >>> shift) & 255;
  const nearest = pixel => {
    let best = 0, least = Infinity;
    kept.forEach((other, index) => {
      let far = 0;
      for (const shift of [0, 8, 16]) far += (part(pixel, shift) - part(other, shift)) ** 2;
      if (far < least) { least = far; best = index; }
    });
    return best;
  };
  for (const pixel of counts.keys()) if (!place.has(pixel)) place.set(pixel, nearest(pixel));
  const indexes = Uint8Array.from(pixels, pixel => place.get(pixel));
  let text = '';
  for (let i = 0; i < indexes.length; i += 8192) text += String.fromCharCode(...indexes.subarray(i, i + 8192));
  return {
    width: image.width, height: image.height, indexes: btoa(text),
    palette: kept.flatMap(pixel => [part(pixel, 0), part(pixel, 8), part(pixel, 16)]),
  };
}"""


def shrink(page: Any, png: bytes) -> bytes:
    """Return the picture with a palette; ``page`` is any page of the browser."""
    counted = page.evaluate(_COUNT, base64.b64encode(png).decode())
    width, height = counted["width"], counted["height"]
    indexes = base64.b64decode(counted["indexes"])
    rows = b"".join(b"\0" + indexes[start : start + width] for start in range(0, width * height, width))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(counted["palette"])),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
