// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hubhome/hubhome/remote"
)

// silencer hands a server's answers on, and goes silent after so many bytes: without an end of the connection, which it
// goes on accepting.
func silencer(t *testing.T, server string, after int64) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	left := make(chan int64, 1)
	left <- after
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				return
			}
			all.Go(func() {
				io.Copy(upstream, client)
				upstream.Close()
				client.Close()
			})
			all.Go(func() {
				n := <-left
				sent, _ := io.CopyN(client, upstream, n)
				left <- n - sent
				io.Copy(io.Discard, upstream)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// TestShareSilence has the server go silent after any number of bytes. The command ends, says so, and claims nothing.
func TestShareSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for silent servers")
	}
	if os.Geteuid() != 0 {
		t.Skip("a store takes root")
	}
	s := &served{file: filepath.Join(t.TempDir(), "hubhome.yaml"), addr: "127.0.0.1:0"}
	s.start(t)
	t.Cleanup(func() { s.stop() })
	var all sync.WaitGroup
	for after := int64(0); after < 4500; after += 150 {
		addr := silencer(t, s.addr, after)
		all.Go(func() { shareSilence(t, addr, after) })
	}
	all.Wait()
}

func shareSilence(t *testing.T, addr string, after int64) {
	f := shareFlags{
		server: addr, base: "/homes", hub: "prod", owner: "1000:1000", mode: "0755",
		version: "auto", output: outputJSON, timeout: time.Second, shared: true, public: true,
	}
	r, err := f.request()
	if err != nil {
		t.Error(err)
		return
	}
	var out, log bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- r.run(context.Background(), &out, &log) }()
	select {
	case err = <-ended:
	case <-time.After(patience):
		t.Errorf("after %d bytes: it hangs", after)
		return
	}
	if err == nil {
		if !strings.Contains(out.String(), `"probed": true`) {
			t.Errorf("after %d bytes: it was successful, and says\n%s", after, &out)
		}
		return
	}
	if exit, ok := err.(exitError); !ok || exit.code != exitUnreachable || !strings.Contains(out.String(), `"trouble": "`+remote.Silent.String()+`"`) {
		t.Errorf("after %d bytes: the error is %v; it says\n%s", after, err, &out)
	}
}
