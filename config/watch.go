// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settleTime is how long nothing must happen to a file until it is taken to be complete: an editor writes in steps.
	settleTime = 100 * time.Millisecond
	// settleAtMost is how long a file that is written all the time is waited for.
	settleAtMost = 2 * time.Second
)

// Watch calls changed when the file says something else than before, and once when the watch is in place: what came
// between reading the file and that moment is not missed. It blocks until ctx ends, and then returns nil; an error says
// that changes are not noticed any longer. changed is called from Watch itself, never concurrently.
//
// It watches directories, not the file: an editor replaces a file, and Kubernetes replaces a ConfigMap by giving a link
// beside it another target (..data), so that the file's own link never changes. It sees neither what happens on another
// machine's file system nor behind the back of a file that is bind-mounted alone; a signal is for those.
func Watch(ctx context.Context, path string, changed func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the configuration: %w", err)
	}
	defer watcher.Close()
	w := &watch{path: path, watcher: watcher}
	if err := w.follow(); err != nil {
		return fmt.Errorf("watch the configuration: %w", err)
	}
	w.now = w.look()
	changed()
	return w.run(ctx, changed)
}

// watch is one call of Watch.
type watch struct {
	path    string
	watcher *fsnotify.Watcher
	now     content
}

// content is what a file said when it was looked at, or why it said nothing.
type content struct {
	data []byte
	err  string
}

func (w *watch) run(ctx context.Context, changed func()) error {
	settled := time.NewTimer(0)
	settled.Stop()
	var since time.Time // when the first change came that was not looked at yet
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, open := <-w.watcher.Events:
			if !open {
				return errors.New("watch the configuration: the watch has ended")
			}
			if since.IsZero() {
				since = time.Now()
			}
			settled.Reset(min(settleTime, time.Until(since.Add(settleAtMost))))
		case err := <-w.watcher.Errors:
			if err != nil && !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("watch the configuration: %w", err)
			}
			settled.Reset(settleTime)
		case <-settled.C:
			since = time.Time{}
			if err := w.follow(); err != nil {
				return fmt.Errorf("watch the configuration: %w", err)
			}
			if before := w.now; w.differs(before) {
				changed()
			}
		}
	}
}

// differs looks at the file and tells whether it says something else than before.
func (w *watch) differs(before content) bool {
	w.now = w.look()
	return w.now.err != before.err || !bytes.Equal(w.now.data, before.data)
}

func (w *watch) look() content {
	data, err := read(w.path)
	if err != nil {
		return content{err: err.Error()}
	}
	return content{data: data}
}

// follow watches the directory of the file, and that of the file it is a link to, which may be another one by now.
func (w *watch) follow() error {
	dirs := []string{filepath.Dir(w.path)}
	if target, err := filepath.EvalSymlinks(w.path); err == nil {
		if dir := filepath.Dir(target); dir != dirs[0] {
			dirs = append(dirs, dir)
		}
	}
	for _, old := range w.watcher.WatchList() {
		if !slices.Contains(dirs, old) {
			w.watcher.Remove(old) // it may have gone by itself
		}
	}
	for i, dir := range dirs {
		// The file's own directory is what must be there; of a link's target the next change tells more.
		if err := w.watcher.Add(dir); err != nil && i == 0 {
			return err
		}
	}
	return nil
}
