// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package guest runs shell scripts in a real Linux: Debian's kernel and userland in QEMU, without KVM.
//
// It owns the guest's image (Prepare), the machine (Image.Boot) and running scripts in it (Machine.Run). It knows nothing
// of hubhome: what is mounted and tested is the scripts' matter.
//
// The guest reaches the host's loopback addresses at Host, through QEMU's user network. Nothing in a guest outlives it:
// its disk is a snapshot of the image, and QEMU dies with the process that started it.
package guest

import "errors"

// Host is the address at which a guest reaches the host's 127.0.0.1.
const Host = "10.0.2.2"

// ErrUnavailable says that this machine cannot run a guest, and what is missing.
var ErrUnavailable = errors.New("cannot run a Linux guest here")
