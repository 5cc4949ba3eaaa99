// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

const (
	resultsName = "results.csv"
	draftName   = "draft.bin"
	draftSize   = 1 << 20
	lineSize    = 4 << 10
	// someLines is how much is written before, and after, the server's death.
	someLines = 40
)

// scribe is a program in a pod that goes on writing to an open file, each line synced.
type scribe struct {
	file   vfs.File
	cancel context.CancelFunc
	ended  chan struct{}
	once   sync.Once

	lines atomic.Int64 // written and acknowledged
	// When ended is closed:
	err   error
	pause time.Duration // the longest time that a line took
}

// lineOf is the nth line: no two are alike.
func lineOf(n int64) []byte {
	line := bytes.Repeat(fmt.Appendf(nil, "%015d,", n), lineSize/16)
	line[lineSize-1] = '\n'
	return line
}

func newScribe(f vfs.File) *scribe {
	ctx, cancel := context.WithCancel(context.Background())
	s := &scribe{file: f, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		for ctx.Err() == nil {
			begin := time.Now()
			if s.err = s.write(s.lines.Load()); s.err != nil {
				return
			}
			s.pause = max(s.pause, time.Since(begin))
			s.lines.Add(1)
		}
	}()
	return s
}

// write writes a line. A server that is away is waited for within the client.
func (s *scribe) write(n int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	line := lineOf(n)
	done, did, _, err := s.file.WriteAt(ctx, line, uint64(n)*lineSize, vfs.FileSync)
	if err == nil && (done < lineSize || did != vfs.FileSync) {
		err = fmt.Errorf("line %d: %d bytes were written, with stability %d", n, done, did)
	}
	return err
}

// await waits until the scribe has written so many lines in all.
func (s *scribe) await(ctx context.Context, lines int64) error {
	for s.lines.Load() < lines {
		select {
		case <-s.ended:
			return fmt.Errorf("the program that writes was told: %w", s.err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// stop ends the writing, behind a line.
func (s *scribe) stop() {
	s.once.Do(func() {
		s.cancel()
		<-s.ended
	})
}

// draft is a file with data that was written and not synced.
type draft struct {
	file     vfs.File
	data     []byte
	verifier vfs.Verifier
}

// kill kills the server while one program writes and another has not synced yet.
func (t *tour) kill(ctx context.Context) (string, error) {
	ada := t.users["ada"]
	f, _, _, _, err := ada.fs.Create(ctx, jovyan, ada.root, resultsName, vfs.Create{Mode: vfs.Guarded}, vfs.Read|vfs.Write)
	if err != nil {
		return "", err
	}
	d := &draft{data: make([]byte, draftSize)}
	for i := range d.data {
		d.data[i] = byte(i * i >> 7)
	}
	d.file, _, _, _, err = ada.fs.Create(ctx, jovyan, ada.root, draftName, vfs.Create{Mode: vfs.Guarded}, vfs.Read|vfs.Write)
	if err != nil {
		return "", err
	}
	if _, _, d.verifier, err = d.file.WriteAt(ctx, d.data, 0, vfs.Unstable); err != nil {
		return "", err
	}
	t.draft, t.scribe = d, newScribe(f)
	if err := t.scribe.await(ctx, someLines); err != nil {
		return "", err
	}
	t.downSince = time.Now()
	pid := t.server.process.pid
	err = t.server.kill(ctx)
	return fmt.Sprintf("SIGKILL to process %d while ada's program writes: %d lines synced, 1 MiB not", pid, t.scribe.lines.Load()), err
}

// startAgain starts a server on the same store and port.
func (t *tour) startAgain(ctx context.Context) (string, error) {
	if err := t.server.start(ctx); err != nil {
		return "", err
	}
	down := since(t.downSince)
	t.downSince = time.Time{}
	return fmt.Sprintf("process %d has the store and the port; nobody answered for %v", t.server.process.pid, down), nil
}

// carryOn waits until the program that was writing has gone on for a while, and ends it.
func (t *tour) carryOn(ctx context.Context) (string, error) {
	s := t.scribe
	if err := s.await(ctx, s.lines.Load()+someLines); err != nil {
		return "", err
	}
	s.stop()
	if s.err != nil {
		return "", s.err
	}
	var all []byte
	for n := range s.lines.Load() {
		all = append(all, lineOf(n)...)
	}
	t.stored["ada/"+resultsName] = sumOf(all)
	return fmt.Sprintf("ada's program writes line %d and saw no error; one line took %v", s.lines.Load(), s.pause.Round(time.Millisecond)), s.file.Close()
}

// unsynced learns from the verifier that unsynced data may be lost, and writes it again.
func (t *tour) unsynced(ctx context.Context) (string, error) {
	d := t.draft
	v, err := d.file.Commit(ctx)
	if err != nil {
		return "", err
	}
	if v == d.verifier {
		return "", errors.New("the server says that what nobody synced is safe")
	}
	if err := write(ctx, d.file, d.data, 0); err != nil {
		return "", err
	}
	t.stored["ada/"+draftName] = sumOf(d.data)
	return "the client learns that the server died before a sync: 1 MiB is written again, and synced", d.file.Close()
}

// oldHandle uses a handle of the dead server in a new connection.
func (t *tour) oldHandle(ctx context.Context) (string, error) {
	node, err := t.mount(ctx, hubPath, jovyan)
	if err != nil {
		return "", err
	}
	a, err := node.fs.GetAttr(ctx, t.notebook)
	if err != nil {
		return "", err
	}
	if want := t.stored["ada/"+notebookName].size; a.Size != uint64(want) {
		return "", fmt.Errorf("the handle is of a file with %d bytes and not %d", a.Size, want)
	}
	return fmt.Sprintf("the file handle of %s is still that file: %d bytes, inode %d", notebookName, a.Size, a.FileID), nil
}

// allThere reads everything that was ever synced.
func (t *tour) allThere(ctx context.Context) (string, error) {
	node, err := t.mount(ctx, hubPath, jovyan)
	if err != nil {
		return "", err
	}
	size, err := t.compare(ctx, node)
	return fmt.Sprintf("%d files, %d bytes: every checksum is the one from before", len(t.stored), size), err
}
