// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"fmt"
	"path"
	"strings"
)

// wantedModules are the kernel modules that the guest needs, before it has a root file system.
var wantedModules = []string{"virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "ext4", "nfsv4"}

// moduleOrder lists the modules to load, each after those it depends on, from the kernel's modules.dep and
// modules.builtin (depmod(8)). The paths are relative to the directory of those files.
func moduleOrder(dep, builtin string, wanted []string) ([]string, error) {
	needs := map[string][]string{}
	files := map[string]string{}
	for line := range strings.Lines(dep) {
		file, rest, found := strings.Cut(strings.TrimSpace(line), ":")
		if !found {
			continue
		}
		files[moduleName(file)] = file
		needs[file] = strings.Fields(rest)
	}
	for file := range strings.Lines(builtin) {
		files[moduleName(strings.TrimSpace(file))] = ""
	}
	var order []string
	seen := map[string]bool{}
	var add func(file string)
	add = func(file string) {
		if file == "" || seen[file] {
			return
		}
		seen[file] = true
		for _, need := range needs[file] {
			add(need)
		}
		order = append(order, file)
	}
	for _, name := range wanted {
		file, known := files[name]
		if !known {
			return nil, fmt.Errorf("the kernel has no module %s", name)
		}
		add(file)
	}
	return order, nil
}

// moduleName is a module's name as modprobe knows it.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}
