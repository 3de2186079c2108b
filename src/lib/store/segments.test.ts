import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitmapBytes, SegmentMap } from './segments.ts';

describe('SegmentMap', () => {
  it('has nothing missing in a blob of no bytes', () => {
    const segments = new SegmentMap(0, 100);
    expect(segments.missing()).toEqual([]);
    expect(segments.frontierBytes).toBe(0);
    expect(segments.receivedBytes).toBe(0);
  });

  it('ends with a short segment, or with a full one at an exact multiple', () => {
    expect(new SegmentMap(250, 100).missing().at(-1)).toEqual({ index: 2, from: 200, to: 250 });
    expect(new SegmentMap(200, 100).missing().at(-1)).toEqual({ index: 1, from: 100, to: 200 });
  });

  it('moves the frontier only over what is finished from the start', () => {
    const segments = new SegmentMap(350, 100);
    segments.finish(1);
    expect(segments.frontierBytes).toBe(0);
    segments.finish(0);
    expect(segments.frontierBytes).toBe(200);
    segments.finish(3);
    segments.finish(2);
    expect(segments.frontierBytes).toBe(350);
  });

  it('refuses a segment and bytes outside the blob', () => {
    const segments = new SegmentMap(250, 100);
    expect(() => segments.finish(3)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => segments.finish(-1)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => segments.assertInside(200, 51)).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('comes back from its bitmap, whatever was finished', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 5000 }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(fc.nat()),
        (size, segmentBytes, picks) => {
          const segments = new SegmentMap(size, segmentBytes);
          const count = segments.missing().length;
          if (count > 0) picks.forEach((pick) => segments.finish(pick % count));
          const again = new SegmentMap(size, segmentBytes, segments.bitmap());
          expect(segments.bitmap()).toHaveLength(bitmapBytes(size, segmentBytes));
          expect(again.missing()).toEqual(segments.missing());
          expect(again.frontierBytes).toBe(segments.frontierBytes);
          expect(again.frontierBytes).toBe(segments.missing()[0]?.from ?? size);
          const missingBytes = segments.missing().reduce((sum, { from, to }) => sum + to - from, 0);
          expect(again.receivedBytes).toBe(size - missingBytes);
        },
      ),
    );
  });
});
