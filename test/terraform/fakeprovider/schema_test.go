// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"strings"
	"testing"
)

// TestDeclarations reads what there is of each provider, and looks at a place or two.
func TestDeclarations(t *testing.T) {
	for provider, resource := range map[string]string{
		"google": "google_filestore_instance", "aws": "aws_efs_file_system", "azurerm": "azurerm_storage_share",
	} {
		d, err := declarations(provider)
		if err != nil {
			t.Errorf("%s: %v", provider, err)
		} else if d.resources[resource] == nil {
			t.Errorf("%s has no %s", provider, resource)
		}
	}
	d, err := declarations("google")
	if err != nil {
		t.Fatal(err)
	}
	filestore := d.resources["google_filestore_instance"]
	if a := filestore.attributes["networks.ip_addresses"]; a == nil || !a.Computed || a.Optional || a.Required {
		t.Errorf("networks.ip_addresses is %+v, want computed", a)
	}
	if a := filestore.attributes["file_shares.capacity_gb"]; a == nil || !a.Required {
		t.Errorf("file_shares.capacity_gb is %+v, want required", a)
	}
	if _, err := declarations("gooogle"); err == nil {
		t.Error("there is a provider gooogle")
	}
}

// TestLineThatSaysNothing refuses what it does not understand: it would be missing, and everybody would think it was not.
func TestLineThatSaysNothing(t *testing.T) {
	for _, line := range []string{
		"name string",
		"name strong required",
		"name string mandatory",
		"networks.name string required",
		"networks block pile",
		"networks block list mandatory",
	} {
		if err := newObject().add(strings.Fields(line)); err == nil {
			t.Errorf("%q is understood", line)
		}
	}
}
