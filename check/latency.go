// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/vfs"
)

// How often things are done to see how long they take, and for how long at most.
const (
	maxGetAttrs = 200
	maxWrites   = 50
	sampleTime  = 3 * time.Second
)

// What half of the calls may take. A Python that starts in a home looks at a few thousand files, one after the other: with
// 10 ms each, that is half a minute. A notebook that is saved waits for a handful of synced writes.
const (
	slowGetAttr = 10 * time.Millisecond
	slowWrite   = 100 * time.Millisecond
)

// getAttrLatency asks for the directory's attributes again and again.
func (r *run) getAttrLatency(ctx context.Context) []Line {
	return r.latency(ctx, "GETATTR", maxGetAttrs, slowGetAttr, func() error {
		_, err := r.fs.GetAttr(ctx, r.dir.Handle)
		return err
	})
}

// writeLatency writes a page to the file again and again, synced.
func (r *run) writeLatency(ctx context.Context) []Line {
	p := &r.probe
	return r.latency(ctx, "synced write of 4 KiB", maxWrites, slowWrite, func() error {
		_, _, _, err := p.file.WriteAt(ctx, p.data, 0, vfs.FileSync)
		return err
	})
}

// latency does something up to n times, one after the other, and judges by the median.
func (r *run) latency(ctx context.Context, what string, n int, slow time.Duration, call func() error) []Line {
	var took []time.Duration
	end := time.Now().Add(sampleTime)
	for len(took) < n && (len(took) == 0 || time.Now().Before(end)) {
		begun := time.Now()
		if err := call(); err != nil {
			return one(r.trouble(ctx, err, "%s, after %d of them: %v", what, len(took), plain(err)))
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	p50, p99 := percentile(took, 50), percentile(took, 99)
	values := map[string]any{"count": len(took), "p50Milliseconds": milliseconds(p50), "p99Milliseconds": milliseconds(p99)}
	text := fmt.Sprintf("%s: p50 %.2f ms, p99 %.2f ms, of %d", what, milliseconds(p50), milliseconds(p99), len(took))
	if p50 > slow {
		return one(bad(Warn, &advice.Slow, "%s: slow", text).with(values))
	}
	return one(ok("%s", text).with(values))
}

// percentile is the value of sorted ones below which so many of them are, in percent (nearest rank).
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
