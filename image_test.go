// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReproducible has the command of the Dockerfile make the same binaries of the same sources in another directory,
// with other times and from an empty cache, and without the files that .dockerignore leaves out.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything anew")
	}
	command := buildCommand(t)
	// The cache of the first is that of the machine: what somebody built before, where it is the same.
	first := built(t, command, filepath.Join(t.TempDir(), "src"), os.Getenv("GOCACHE"))
	second := built(t, command, filepath.Join(t.TempDir(), "somewhere", "else"), filepath.Join(t.TempDir(), "cache"))
	if len(first) == 0 {
		t.Fatal("nothing was built")
	}
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s is %s, and built elsewhere %s", name, sum, second[name])
		}
	}
}

// buildCommand is the command that the Dockerfile builds with.
func buildCommand(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	run := regexp.MustCompile(`(?m)^RUN (GOOS=.* go build .*)$`).FindSubmatch(text)
	env := regexp.MustCompile(`(?m)^ENV (CGO_ENABLED=.*)$`).FindSubmatch(text)
	if run == nil || env == nil {
		t.Fatal("the Dockerfile has no RUN with go build, or no ENV for it")
	}
	return "export " + string(env[1]) + "\n" + string(run[1])
}

// built builds a copy of the sources in a directory, and returns the sums of what came out, by name.
func built(t *testing.T, command, dir, cache string) map[string]string {
	t.Helper()
	copySources(t, dir)
	out := t.TempDir()
	command = strings.Replace(command, "-o /out/", "-o "+out+"/", 1)
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "VERSION=1.2.3", "TARGETOS=linux", "TARGETARCH=amd64", "GOWORK=off")
	if cache != "" {
		cmd.Env = append(cmd.Env, "GOCACHE="+cache)
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build in %s: %v\n%s", dir, err, text)
	}
	sums := map[string]string{}
	files, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(out, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sums[file.Name()] = fmt.Sprintf("%x", sha256.Sum256(data))
		if bytes.Contains(data, []byte(dir)) {
			t.Errorf("%s has the directory in it that it was built in", file.Name())
		}
	}
	return sums
}

// copySources copies what the image is made of, by the lines of .dockerignore.
func copySources(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(".dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	ignored := strings.Fields(regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(string(text), ""))
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for _, pattern := range ignored {
			name := path
			if rest, anywhere := strings.CutPrefix(pattern, "**/"); anywhere {
				pattern, name = rest, d.Name()
			}
			if match, err := filepath.Match(pattern, name); err != nil || match {
				if d.IsDir() && err == nil {
					return fs.SkipDir
				}
				return err
			}
		}
		target := filepath.Join(dir, path)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
	if err != nil {
		t.Fatalf("copy the sources: %v", err)
	}
}
