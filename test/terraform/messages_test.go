// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMessages reads what somebody is told whose values are out of range: which store, what it has, what it may have. That
// all other values are refused too is in the modules' own tests.
func TestMessages(t *testing.T) {
	const (
		gcp = "cluster_name = \"c\"\nnetwork = \"default\"\nnode_ip_ranges = [\"10.0.0.0/20\"]\n"
		aws = "cluster_name = \"c\"\nvpc_id = \"vpc-1\"\nnode_security_group_ids = [\"sg-1\"]\n"
	)
	tests := []struct {
		module, variables string
		want              []string
	}{
		{"gcp", gcp + `stores = { main = { location = "us-central1-b" }, physics = { location = "us-central1-b", capacity_gib = 1100 } }`,
			[]string{"ZONAL and REGIONAL: 1024 to 9984 in steps of 256", "physics (ZONAL, 1100)"}},
		{"gcp", gcp + `stores = { main = { location = "us-central1-b", tier = "BASIC_HDD", protocol = "NFS_V4_1" } }`,
			[]string{"NFS_V4_1 with tier ZONAL, REGIONAL or ENTERPRISE. Look at: main (BASIC_HDD, NFS_V4_1)"}},
		{"gcp", gcp + `stores = { main = { location = "us-central1-b", tier = "REGIONAL" } }`,
			[]string{"a region (us-central1)", "Look at: main (REGIONAL, us-central1-b)"}},
		{"aws", aws + `subnet_ids = []` + "\n" + `stores = { main = {} }`,
			[]string{"subnet_ids is empty: without a mount target nobody can reach the store"}},
		{"aws", aws + `subnet_ids = ["subnet-1"]` + "\n" + `stores = { physics = { throughput_mode = "provisioned" } }`,
			[]string{"provisioned_throughput_mibps goes with throughput_mode provisioned", "Look at: physics (provisioned)"}},
		{"azure", `resource_group_name = "g"` + "\n" + `location = "westeurope"` + "\n" + `stores = { main = { account_name = "homes", size_gib = 99 } }`,
			[]string{"size_gib is 100 to 102400", "Look at: main (99)"}},
		{"azure", `resource_group_name = "g"` + "\n" + `location = "westeurope"` + "\n" + `stores = { main = { account_name = "My-Homes" } }`,
			[]string{"3 to 24 lowercase letters and digits. These are not: My-Homes"}},
		{"azure", `resource_group_name = "g"` + "\n" + `location = "westeurope"` + "\n" + `stores = { main = { account_name = "homes" } }`,
			[]string{"Neither subnet_ids nor private_endpoint: nobody would reach the store"}},
	}
	tofu := programs(t)[0]
	for i, test := range tests {
		t.Run(fmt.Sprint(test.module, i), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			modules, err := filepath.Abs(source)
			if err != nil {
				t.Fatal(err)
			}
			module, err := filepath.Rel(dir, filepath.Join(modules, test.module))
			if err != nil {
				t.Fatal(err)
			}
			root := fmt.Sprintf("provider \"azurerm\" {\n  features {}\n}\nmodule \"homes\" {\n  source = %q\n%s\n}\n", module, test.variables)
			if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(root), 0o644); err != nil {
				t.Fatal(err)
			}
			tofu.must(t, dir, "init", "-no-color")
			out, err := tofu.run(t, dir, "plan", "-no-color")
			if err == nil {
				t.Fatalf("planned:\n%s", out)
			}
			for _, want := range test.want {
				if !strings.Contains(words(out), want) {
					t.Errorf("it does not say %q:\n%s", want, out)
				}
			}
		})
	}
}
