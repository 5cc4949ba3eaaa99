// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/kube"
)

func newVolume() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "volume",
		Short: "Work on the volume of a hub",
		Args:  noSuchCommand,
		RunE:  needCommand,
	}
	cmd.AddCommand(newVolumePrepare())
	return cmd
}

func newVolumePrepare() *cobra.Command {
	var want kube.Volume
	kubeconfig, timeout := "", time.Minute
	cmd := &cobra.Command{
		Use:   "prepare --persistent-volume NAME --claim NAME --namespace NS --server ADDR --path PATH",
		Short: "Get a volume and its claim to where Helm can make or change them",
		Long: `Get a PersistentVolume and its claim to where Helm can make or change them. The chart homes runs it before each install,
upgrade and rollback. What it does it says, a line each; it never touches what is on the NFS server, nor what Helm does
not own.

  - What a release uninstalled a moment ago left to be deleted: waits until it is gone, and says what holds it.
  - A volume whose claim was deleted: lets the new claim of that name have it.
  - A volume that is for another server or path: refuses. With --replace it writes the volume and the claim to the log and
    deletes both, so that Helm makes them anew; not while a pod uses the claim, and with the reclaim policy Retain.
  - Anything else: nothing.

It goes by the kubeconfig that is named; else, in a pod, by the pod's service account; else by KUBECONFIG and
~/.kube/config. It takes get, patch and delete on the volume, get and delete on the claim, and list on the namespace's pods.

Exit codes:
  0  Helm can go on
  1  the API server did not accept what it was asked, or it is not said where it is
  2  the command was not called as its help says
  3  refused: somebody has to decide something, or to stop the pods that use the claim; nothing was deleted
  4  the API server does not permit it: a role is missing
  5  the timeout came first: the API server was away, or something that is being deleted did not go`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown argument %q; see hubhome-kube volume prepare --help", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := want.Check(); err != nil {
				return usageError{fmt.Errorf("%w; see hubhome-kube volume prepare --help", err)}
			}
			if timeout <= 0 {
				return usageError{fmt.Errorf("the timeout %v leaves no time; give it some, such as 60s", timeout)}
			}
			client, err := kube.Connect(kubeconfig)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the time is over after %v", timeout))
			defer cancel()
			err = kube.Prepare(ctx, client, want, cmd.OutOrStdout())
			if _, late := errors.AsType[*kube.Late](err); late {
				return fmt.Errorf("%w: %w", context.Cause(ctx), err)
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&want.Name, "persistent-volume", "", "the `NAME` of the PersistentVolume (required)")
	flags.StringVar(&want.Claim, "claim", "", "the `NAME` of its PersistentVolumeClaim (required)")
	flags.StringVar(&want.Namespace, "namespace", "", "the claim's `NAMESPACE` (required)")
	flags.StringVar(&want.Server, "server", "", "the NFS server's `ADDRESS`, as it will be in the volume (required)")
	flags.StringVar(&want.Path, "path", "", "the hub's directory there, as it will be in the volume (required)")
	flags.BoolVar(&want.Replace, "replace", false, "delete a volume that is elsewhere, and its claim, where no pod uses them")
	flags.DurationVar(&timeout, "timeout", timeout, "how long it may take in all")
	flags.StringVar(&kubeconfig, "kubeconfig", "", "the kubeconfig `FILE` to go by")
	return cmd
}
