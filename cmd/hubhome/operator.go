// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/vfs"
)

// How long a command waits for a server's answer: for what it knows, and for what it has to look for on the disk.
const (
	askTime  = 30 * time.Second
	walkTime = 11 * time.Minute
)

// operatorHelp is what the help of each command says that asks a server.
const operatorHelp = `
It asks the server that runs on this machine, over a socket that the server's own user and root alone can use. --config is
the server's configuration, which says where that is. Without it /etc/hubhome/hubhome.yaml is read, which is the server's in
the pod of the chart home-server.`

// defaultConfig is the configuration of a server that is asked, where none is named.
var defaultConfig = "/etc/hubhome/hubhome.yaml"

// configOr is the configuration that was named, or else the default where it is there.
func configOr(named, toAsk string) (string, error) {
	if named != "" {
		return named, nil
	}
	if _, err := os.Stat(defaultConfig); errors.Is(err, os.ErrNotExist) {
		return "", usageError{fmt.Errorf("%s; without one %s is read, which is not there", toAsk, defaultConfig)}
	}
	return defaultConfig, nil
}

// operatorFlags say which server to ask.
type operatorFlags struct{ config, socket string }

// asOwnerOf begins this program again as the owner of a file, where it is root's and may not write to it. In a container root
// may often do no more than others: in that of the chart home-server it takes being the server's user to reach its socket.
func asOwnerOf(path string) error {
	if os.Geteuid() != 0 || unix.Access(path, unix.W_OK) != unix.EACCES {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil || st.Uid == 0 {
		return nil // it is said when it is used
	}
	owner := hubhome.Owner{UID: st.Uid, GID: st.Gid}
	return fmt.Errorf("become %s, to whom %s belongs: %w", owner, path, execAs(owner))
}

func (f *operatorFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "the server's configuration `FILE` (/etc/hubhome/hubhome.yaml if not given)")
	cmd.Flags().StringVar(&f.socket, "socket", "", "the server's admin socket, a `PATH`, instead of --config")
}

// check says what is wrong with the flags, finds the socket, and becomes who may use it. It comes before anything is read.
func (f *operatorFlags) check() error {
	if f.config != "" && f.socket != "" {
		return usageError{errors.New("--config and --socket both say which server to ask; leave one of them out")}
	}
	if f.socket == "" {
		file, err := configOr(f.config, "say which server to ask: --config FILE, or --socket PATH")
		if err != nil {
			return err
		}
		c, err := config.Load(file)
		if err != nil {
			return err
		}
		f.socket = c.Admin.Socket
	}
	return asOwnerOf(f.socket)
}

// ask calls fn with a client of the server, and a context that ends when the time is over or somebody interrupts.
func (f *operatorFlags) ask(cmd *cobra.Command, patience time.Duration, fn func(context.Context, *console.Client) error) error {
	client := console.NewClient(f.socket)
	defer client.Close()
	told, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(told, patience)
	defer cancel()
	err := fn(ctx, client)
	if err != nil && told.Err() != nil {
		return errors.New("interrupted before the server had answered")
	}
	return err
}

// oneHubAtMost are the arguments of a list.
func oneHubAtMost(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("name one HUB, or none for all, not %d", len(args))
	}
	return nil
}

// parseHubArg reads the hub that was named; none: all.
func parseHubArg(args []string) (hubhome.HubName, error) {
	if len(args) == 0 {
		return "", nil
	}
	hub, err := hubhome.ParseHubName(args[0])
	if err != nil {
		return "", usageError{err}
	}
	return hub, nil
}

// parseHome reads HUB/USER. What is behind the first slash is the name of a directory, of bytes of any kind.
func parseHome(text string) (hubhome.HubName, string, error) {
	hub, home, both := strings.Cut(text, "/")
	if !both || hub == "" || vfs.CheckName(home) != nil {
		return "", "", usageError{fmt.Errorf("%q is no home: write HUB/USER, such as prod/ada", text)}
	}
	name, err := hubhome.ParseHubName(hub)
	if err != nil {
		return "", "", usageError{err}
	}
	return name, home, nil
}
