// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package survey_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubhome/hubhome/survey"
	"github.com/hubhome/hubhome/vfs"
)

// TestSpace asks what space there is, also while a scan runs and where there is no answer for ever.
func TestSpace(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var answer atomic.Uint64 // how many bytes there are; 1 does not say, 0 is away, and 2 does not answer
		answer.Store(100)
		v := survey.New(survey.Options{
			Dial: s.dial, State: state, Source: "nfs://server/", Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
			Space: func(ctx context.Context, pace func(context.Context) error) (vfs.StatFS, error) {
				if err := pace(ctx); err != nil {
					return vfs.StatFS{}, err
				}
				switch n := answer.Load(); n {
				case 0:
					return vfs.StatFS{}, syscall.ECONNREFUSED
				case 1:
					return vfs.StatFS{}, nil
				case 2:
					<-ctx.Done()
					return vfs.StatFS{}, ctx.Err()
				default:
					return vfs.StatFS{TotalBytes: 2 * n, AvailBytes: n}, nil
				}
			},
		}, survey.Settings{Interval: 6 * time.Hour})
		s.must(v.Open())
		if st := v.Status(); !st.SpaceAsOf.IsZero() {
			t.Errorf("before anybody has asked there are %+v", st.Space)
		}
		stop := s.start(v)
		expect := func(avail uint64, least, most time.Duration) {
			t.Helper()
			synctest.Wait()
			st := v.Status()
			if age := time.Since(st.SpaceAsOf); st.Space.AvailBytes != avail || age < least || age > most {
				t.Errorf("there are %+v, %v old; want %d, %v to %v old", st.Space, age, avail, least, most)
			}
		}
		expect(100, 0, 0)
		answer.Store(50)
		time.Sleep(5 * time.Minute)
		expect(50, 0, 0)
		for _, no := range []uint64{0, 1, 2} {
			answer.Store(no)
			time.Sleep(30 * time.Minute)
			expect(50, 30*time.Minute, 35*time.Minute)
			answer.Store(50)
			time.Sleep(10 * time.Minute)
			expect(50, 0, 5*time.Minute)
		}
		if n := strings.Count(s.log.String(), "level=WARN"); n != 2 {
			t.Errorf("it says %d times that there is no answer:\n%s", n, &s.log)
		}
		answer.Store(2)
		time.Sleep(5 * time.Minute)
		stop() // waits for who asks
	})
}
