// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"slices"
	"testing"
)

func TestModuleOrder(t *testing.T) {
	const dep = "kernel/fs/nfs/nfsv4.ko: kernel/fs/nfs/nfs.ko kernel/net/sunrpc/sunrpc.ko\n" +
		"kernel/fs/nfs/nfs.ko: kernel/net/sunrpc/sunrpc.ko\n" +
		"kernel/net/sunrpc/sunrpc.ko:\n" +
		"kernel/drivers/virtio-pci.ko:\n" +
		"kernel/fs/other.ko: kernel/net/sunrpc/sunrpc.ko\n"
	got, err := moduleOrder(dep, "kernel/fs/ext4/ext4.ko\n", []string{"virtio_pci", "ext4", "nfsv4"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"kernel/drivers/virtio-pci.ko", "kernel/net/sunrpc/sunrpc.ko", "kernel/fs/nfs/nfs.ko", "kernel/fs/nfs/nfsv4.ko"}
	if !slices.Equal(got, want) {
		t.Errorf("the order is %q, want %q", got, want)
	}
	if _, err := moduleOrder(dep, "", []string{"ext4"}); err == nil {
		t.Error("a module that the kernel does not have was found")
	}
}
