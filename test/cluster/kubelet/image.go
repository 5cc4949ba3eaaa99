// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kubelet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// Image is what every container finds in its root directory, as if it had been built from a Dockerfile.
type Image struct {
	// Files are the files of the image, by their absolute path in it: where they are on this machine. Programs have to
	// be static.
	Files map[string]string
	// Entrypoint runs where the container has no command.
	Entrypoint []string
	// Path is where a command without a slash is looked for.
	Path string
	// User and Group are who the container runs as, where the pod does not say.
	User, Group int64
}

// unpack puts the image into a root directory, and the two files beside it that a kubelet gives every container.
func (i Image) unpack(root string) error {
	for name, source := range i.Files {
		if err := place(source, filepath.Join(root, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"/etc/hosts", "/etc/resolv.conf"} {
		if err := place(name, filepath.Join(root, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// find returns the absolute path of a command in the image.
func (i Image) find(command string) (string, error) {
	if strings.Contains(command, "/") {
		return command, nil
	}
	for dir := range strings.SplitSeq(i.Path, ":") {
		if _, there := i.Files[path.Join(dir, command)]; there {
			return path.Join(dir, command), nil
		}
	}
	return "", fmt.Errorf("exec: %q: executable file not found in the image's PATH %s", command, i.Path)
}

// place copies a file, or links it where it can: a hundred Jobs need the program a hundred times.
func place(source, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if err := os.Link(source, target); !errors.Is(err, syscall.EXDEV) && !errors.Is(err, syscall.EPERM) {
		return err
	}
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	to, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
