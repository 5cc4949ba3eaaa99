// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"bytes"
	"context"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hubhome/hubhome/test/guest"
)

func TestBoot(t *testing.T) {
	img, err := guest.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t0 := time.Now()
	m, err := img.Boot(t.Context(), fstest.MapFS{"a/b": {Data: []byte("hi")}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	t.Log("boot", time.Since(t0))
	for _, s := range []string{"cat a/b; uname -a; lsmod; ip addr; mount; free", "time python3 -S -c 'import mmap'; time git --version; time setpriv --reuid 1000 --regid 1000 --clear-groups id", "dmesg | tail -30", "exit 3", "sleep 100"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		var out bytes.Buffer
		t0 := time.Now()
		err := m.Run(ctx, s, &out)
		t.Log(s, err, time.Since(t0), out.String())
		cancel()
	}
	t.Log(m.Console())
}
