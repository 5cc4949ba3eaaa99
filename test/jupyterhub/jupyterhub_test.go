// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package jupyterhub

import (
	"context"
	"os"
	"testing"
	"time"
)

// TestAdminMounts runs the tests in Python of the code that gives admins their mounts.
func TestAdminMounts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a JupyterHub's worth of Python a few times")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := Install(ctx); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Run("stand-in", func(t *testing.T) {
		if _, err := Python(ctx, "testdata/admin_mounts_test.py", KubeSpawnerEnv+"="); err != nil {
			t.Error(err)
		}
	})
	t.Run("KubeSpawner", func(t *testing.T) {
		source := os.Getenv(KubeSpawnerEnv)
		if source == "" {
			t.Skip("KubeSpawner is no package of Debian's: name a checkout of it in " + KubeSpawnerEnv)
		}
		if _, err := Python(ctx, "testdata/admin_mounts_test.py"); err != nil {
			t.Error(err)
		}
	})
}
