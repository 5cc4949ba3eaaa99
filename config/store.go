// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"path/filepath"
	"strings"
)

const storePathKey = "store.disk.path"

// storePath reads the directory that homes live in. Whether it is there is for the store to say.
func (r *reader) storePath(v value) { r.path(v, "./data", &r.config.Store.Disk.Path) }

// path reads the path of a file or a directory. What is relative is below the configuration's own directory.
func (r *reader) path(v value, example string, to *string) {
	path, ok := r.text(v, example)
	switch {
	case !ok:
	case path == "":
		r.wrong(v, "is empty; write a path, such as %s", example)
	case strings.ContainsRune(path, 0):
		r.wrong(v, "has a NUL character, which no path can have; take it out")
	case path == "~" || strings.HasPrefix(path, "~/"):
		r.wrong(v, "begins with ~, which only a shell understands; write the home directory's path out")
	case strings.HasPrefix(path, "$"):
		r.wrong(v, "begins with $, which only a shell understands; write the path out")
	case filepath.IsAbs(path):
		*to = filepath.Clean(path)
	default:
		*to = filepath.Join(r.config.dir(), path)
	}
}

func (r *reader) checkStore() {
	at, remote := r.config.at[remoteKey]
	_, disk := r.config.at["store.disk"]
	switch {
	case remote && disk:
		r.report(at, remoteKey, "is here beside store.disk, and homes live in one of them; take the other out")
	case remote:
		return
	}
	if r.missing(storePathKey) {
		r.report(r.near(storePathKey), storePathKey,
			"is missing; write the directory that homes live in, such as path: ./data below store: and disk:")
	}
}
