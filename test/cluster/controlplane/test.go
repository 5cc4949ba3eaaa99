// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package controlplane

import "testing"

// ForTest is a control plane for one test, which is skipped with -short.
func ForTest(t *testing.T) *ControlPlane {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}
