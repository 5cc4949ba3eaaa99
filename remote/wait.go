// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package remote

import (
	"context"
	"errors"
	"time"
)

// pause is between two attempts of Wait.
const pause = time.Second

// Wait is Dial again and again, as long as the trouble may pass by itself and ctx has not ended: a server that is not
// there yet is waited for, one that is another than it should be is not. waiting is called once, with the reason, before
// the first pause. The error is that of the last attempt that had its time.
func Wait(ctx context.Context, cfg Config, waiting func(error)) (*FS, error) {
	var last error
	for {
		fs, err := Dial(ctx, cfg)
		if err == nil {
			return fs, nil
		}
		failure, ok := errors.AsType[*Error](err)
		if !ok || !failure.Passing() {
			return nil, err
		}
		if over(ctx) { // the attempt was cut short
			if last != nil {
				err = last
			}
			return nil, err
		}
		if last == nil {
			waiting(err)
		}
		last = err
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, ctx.Err()
			}
			return nil, last
		}
	}
}

// over tells whether a context has ended, or will before anything can be done: what had the same deadline may hear of it
// first.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) < 10*time.Millisecond
}
