// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

// TestTable prints medians, and the median of the turns' ratios and not the ratio of the medians.
func TestTable(t *testing.T) {
	table := newTable(options{clients: []int{1, 4}, reps: 3, minor: 1})
	for turn, rate := range []struct{ ours, theirs float64 }{{100, 50}, {300, 300}, {200, 50}} {
		table.add("hubhome", tests[1], 4, sample{rate: rate.ours, cpu: 10})
		table.add("ganesha", tests[1], 4, sample{rate: rate.theirs, cpu: 20})
		table.add("hubhome", tests[0], 1, sample{rate: 1, cpu: 1})
		table.add("ganesha", tests[0], 1, sample{rate: 0, cpu: 1}) // did nothing at all
		table.progress(4, turn)
	}
	var out strings.Builder
	table.print(&out)
	first := "| " + tests[0].name + " | 1 | files/s | 1 | 0 | 0.00 | 1 | 1 |\n"
	second := "| " + tests[1].name + " | 4 | files/s | 200 | 50 | 2.00 | 10 | 20 |\n"
	if got := out.String(); !strings.Contains(got, first+second) {
		t.Errorf("the table is\n%s\nand does not have\n%s", got, first+second)
	}
}

// TestParallel calls for each number once, in order, and for no more once it is enough or an error.
func TestParallel(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]int{}
	call := func(i int) {
		mu.Lock()
		defer mu.Unlock()
		seen[i]++
	}
	done, err := parallel(4, 100, func(i int) (bool, error) { call(i); return true, nil })
	if done != 100 || err != nil || len(seen) != 100 {
		t.Errorf("%d of 100 done, %d numbers seen, %v", done, len(seen), err)
	}
	clear(seen)
	done, err = parallel(4, 100, func(i int) (bool, error) { call(i); return i < 10, nil })
	if err != nil || done < 11 || done > 14 {
		t.Errorf("it was enough at 10: %d done, %v", done, err)
	}
	for i := range done {
		if seen[i] != 1 {
			t.Errorf("%d was done %d times", i, seen[i])
		}
	}
	broken := errors.New("broken")
	if _, err := parallel(4, 100, func(i int) (bool, error) { return true, broken }); !errors.Is(err, broken) {
		t.Errorf("the error was %v", err)
	}
}

// TestCheck refuses options with which nothing can be measured.
func TestCheck(t *testing.T) {
	good := options{reps: 1, length: 1, entries: 1, dataMiB: 1, minor: 2}
	if err := new(good).check("1,16"); err != nil {
		t.Errorf("good options: %v", err)
	}
	for _, clients := range []string{"", "0", "1,", "x", "257", "-1"} {
		if err := new(good).check(clients); err == nil {
			t.Errorf("-clients %q was taken", clients)
		}
	}
	for _, spoil := range []func(*options){
		func(o *options) { o.reps = 0 }, func(o *options) { o.length = 0 }, func(o *options) { o.entries = 0 },
		func(o *options) { o.dataMiB = 0 }, func(o *options) { o.minor = 0 }, func(o *options) { o.minor = 3 },
	} {
		bad := good
		spoil(&bad)
		if err := bad.check("1"); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
