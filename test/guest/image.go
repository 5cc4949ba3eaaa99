// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Image is what a guest boots from: three files in the user's cache directory, which a running guest does not change.
type Image struct {
	dir string
}

func (i *Image) kernel() string    { return filepath.Join(i.dir, "vmlinuz") }
func (i *Image) initramfs() string { return filepath.Join(i.dir, "initramfs.gz") }
func (i *Image) disk() string      { return filepath.Join(i.dir, "root.ext4") }

// rootfs are the files of ours that are in the image.
//
//go:embed rootfs
var rootfs embed.FS

// recipe tells images apart: it is raised when the code that builds them changes what comes out.
const recipe = "1"

// imageSize is the size of the guest's disk, for mkfs.ext4. The file is sparse.
const imageSize = "1G"

// prepareTime is how long Prepare may take. It takes half a minute where the archive of packages is near.
const prepareTime = 10 * time.Minute

// Prepare returns the guest's image, and QEMU installed. It makes what is missing, which needs root, Debian's apt-get
// and a network. An error that is ErrUnavailable says what is missing.
func Prepare(ctx context.Context) (*Image, error) {
	ctx, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: it takes root", ErrUnavailable)
	}
	if err := installQEMU(ctx); err != nil {
		return nil, fmt.Errorf("%w: install QEMU: %w", ErrUnavailable, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the directory for the guest's image: %w", err)
	}
	name, err := imageName()
	if err != nil {
		return nil, err
	}
	image := &Image{filepath.Join(cache, "hubhome", name)}
	if _, err := os.Stat(image.dir); err == nil {
		return image, nil
	}
	if err := build(ctx, image.dir); err != nil {
		return nil, fmt.Errorf("%w: build its image: %w", ErrUnavailable, err)
	}
	return image, nil
}

// imageName is the image's directory, named by a hash of all that decides what is in it, but for the versions of the
// packages, which are those of the day it was built.
func imageName() (string, error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %q %q %q %q\n", recipe, imageSize, release, packages, wantedModules)
	for _, name := range rootfsNames() {
		data, err := rootfs.ReadFile("rootfs/" + name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%q %q\n", name, data)
	}
	return fmt.Sprintf("guest-%x", hash.Sum(nil)[:8]), nil
}

func rootfsNames() []string {
	return []string{"initramfs.sh", "init.sh", "worker.sh", "passwd", "group", "gitconfig"}
}

// building begins the names of the directories that images are built in.
const building = "building-"

// removeAbandoned removes what builds that were killed have left.
func removeAbandoned(cache string) {
	left, _ := filepath.Glob(filepath.Join(cache, building+"*"))
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 2*prepareTime {
			os.RemoveAll(dir)
		}
	}
}

// build makes an image in a temporary directory beside dir and renames it, so that dir is either complete or not there.
func build(ctx context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	removeAbandoned(filepath.Dir(dir))
	temp, err := os.MkdirTemp(filepath.Dir(dir), building)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)

	debs, err := download(ctx, filepath.Join(temp, "debs"))
	if err != nil {
		return err
	}
	root := filepath.Join(temp, "root")
	if err := unpack(ctx, debs, root); err != nil {
		return err
	}
	made := &Image{filepath.Join(temp, "image")}
	if err := os.Mkdir(made.dir, 0o755); err != nil {
		return err
	}
	for _, step := range []func(context.Context, *Image, string) error{furnish, splitKernel, makeDisk} {
		if err := step(ctx, made, root); err != nil {
			return err
		}
	}
	if err := os.Rename(made.dir, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// furnish does to root what the packages' own scripts would have done, as far as the guest needs it.
func furnish(ctx context.Context, _ *Image, root string) error {
	for _, dir := range []string{"dev", "etc", "home/jovyan", "home/jovyan2", "mnt", "opt/busybox", "proc", "root", "run", "sys", "tmp", "var/tmp"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for to, from := range map[string]string{"init": "init.sh", "worker": "worker.sh", "etc/passwd": "passwd", "etc/group": "group", "etc/gitconfig": "gitconfig"} {
		data, err := rootfs.ReadFile("rootfs/" + from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, to), data, 0o755); err != nil {
			return err
		}
	}
	return run(ctx, "chroot", root, "/bin/sh", "-euc", `
		find=/bin/busybox\ find
		ldconfig
		$find /lib/modules -name '*.ko.xz' -exec xz -d {} +
		depmod "$(ls /lib/modules)"
		ln -sf /proc/mounts /etc/mtab
		/bin/busybox --install -s /opt/busybox
		# Python's modules are compiled here once, and not in every guest.
		python3 -m compileall -q /usr/lib/python3.* /usr/lib/python3`)
}

// splitKernel takes the kernel and its modules out of root, into the image's kernel and initramfs.
func splitKernel(_ context.Context, image *Image, root string) error {
	kernels, err := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if err != nil || len(kernels) != 1 {
		return fmt.Errorf("find one kernel among %q: %w", kernels, err)
	}
	version := strings.TrimPrefix(filepath.Base(kernels[0]), "vmlinuz-")
	modules := filepath.Join(root, "lib", "modules", version)
	archive, err := initramfs(root, modules)
	if err != nil {
		return fmt.Errorf("make the initramfs: %w", err)
	}
	if err := os.WriteFile(image.initramfs(), archive, 0o644); err != nil {
		return err
	}
	if err := os.Rename(kernels[0], image.kernel()); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(modules), os.RemoveAll(filepath.Join(root, "boot")))
}

// initramfs makes the first root: busybox, the modules in the order to load them, and the script that does.
func initramfs(root, modules string) ([]byte, error) {
	dep, err := os.ReadFile(filepath.Join(modules, "modules.dep"))
	if err != nil {
		return nil, err
	}
	builtin, err := os.ReadFile(filepath.Join(modules, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	order, err := moduleOrder(string(dep), string(builtin), wantedModules)
	if err != nil {
		return nil, err
	}
	busybox, err := os.ReadFile(filepath.Join(root, "bin", "busybox"))
	if err != nil {
		return nil, err
	}
	script, err := rootfs.ReadFile("rootfs/initramfs.sh")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := &cpioWriter{w: zip}
	archive.add("init", cpioFile, script)
	archive.add("busybox", cpioFile, busybox)
	archive.add("modules", cpioDir, nil)
	var names strings.Builder
	for _, file := range order {
		data, err := os.ReadFile(filepath.Join(modules, file))
		if err != nil {
			return nil, err
		}
		archive.add("modules/"+filepath.Base(file), cpioFile, data)
		fmt.Fprintln(&names, filepath.Base(file))
	}
	archive.add("modules/order", cpioFile, []byte(names.String()))
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// makeDisk makes a file system with root's files in it, without mounting anything.
func makeDisk(ctx context.Context, image *Image, root string) error {
	return run(ctx, "mkfs.ext4", "-q", "-F", "-d", root, "-E", "lazy_itable_init=0,root_owner=0:0", "-O", "^has_journal",
		image.disk(), imageSize)
}
