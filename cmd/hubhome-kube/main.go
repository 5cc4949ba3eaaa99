// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Command hubhome-kube does what Helm charts need of the Kubernetes API and Helm cannot do.
//
// It is a command of its own so that the one that serves homes is linked without Kubernetes' libraries
// (design/dependencies.md). It owns flags and what is printed. It alone ends the process.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/kube"
)

// The exit codes, as the help of each command lists them.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2
	exitRefused   = 3
	exitForbidden = 4
	exitLate      = 5
)

// version is what the build says it is; the Makefile sets it.
var version = ""

func main() {
	os.Exit(run(os.Args[1:]))
}

// run runs a command and returns its exit code.
func run(args []string) int {
	started := false
	root := newRoot()
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(root.ErrOrStderr(), "hubhome-kube: "+strings.TrimSpace(err.Error()))
	if _, usage := errors.AsType[usageError](err); usage || !started {
		return exitUsage
	}
	if _, ok := errors.AsType[*kube.Refused](err); ok {
		return exitRefused
	}
	if _, ok := errors.AsType[*kube.Forbidden](err); ok {
		return exitForbidden
	}
	if _, ok := errors.AsType[*kube.Late](err); ok {
		return exitLate
	}
	return exitFailed
}

// usageError is a mistake in how a command was called.
type usageError struct{ error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "hubhome-kube",
		Short:         "Get a hub's volume and claim ready for Helm",
		Args:          noSuchCommand,
		RunE:          needCommand,
		Version:       versionNumber(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// Nobody asked for it.
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	root.SetVersionTemplate("hubhome-kube {{.Version}}\n")
	root.AddCommand(newVolume())
	return root
}

// noSuchCommand answers for a command that has only subcommands, where it is followed by something else.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unknown command %q for %s; see %[2]s --help", args[0], cmd.CommandPath())
}

// needCommand answers for a command that has only subcommands.
func needCommand(cmd *cobra.Command, _ []string) error {
	return usageError{fmt.Errorf("say what to do; see %s --help", cmd.CommandPath())}
}

// versionNumber is the version that the build was given, or else the one that Go knows it by.
func versionNumber() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
