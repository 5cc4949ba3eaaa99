// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Fakeprovider stands in for the Terraform providers google, aws and azurerm, whichever its file is named after. It knows
// what attributes and blocks their resources have, keeps what is planned, and makes up what a cloud would answer. It knows
// nothing of what a cloud would refuse, and it talks to nobody.
package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func main() {
	// terraform-provider-google_v6.50.0
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "terraform-provider-")
	name, _, _ = strings.Cut(name, "_")
	declared, err := declarations(name)
	if err == nil {
		err = tf5server.Serve("registry.terraform.io/hashicorp/"+name,
			func() tfprotov5.ProviderServer { return &provider{declared: declared} })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// provider answers what plan, apply and destroy ask. Whatever else the protocol has, such as import, is the nil interface's.
type provider struct {
	tfprotov5.ProviderServer
	declared *declared
}

func (p *provider) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	answer := &tfprotov5.GetMetadataResponse{}
	for _, name := range slices.Sorted(maps.Keys(p.declared.resources)) {
		answer.Resources = append(answer.Resources, tfprotov5.ResourceMetadata{TypeName: name})
	}
	for _, name := range slices.Sorted(maps.Keys(p.declared.data)) {
		answer.DataSources = append(answer.DataSources, tfprotov5.DataSourceMetadata{TypeName: name})
	}
	return answer, nil
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	answer := &tfprotov5.GetProviderSchemaResponse{
		Provider:          p.declared.provider.schema,
		ResourceSchemas:   map[string]*tfprotov5.Schema{},
		DataSourceSchemas: map[string]*tfprotov5.Schema{},
	}
	for name, resource := range p.declared.resources {
		answer.ResourceSchemas[name] = resource.schema
	}
	for name, data := range p.declared.data {
		answer.DataSourceSchemas[name] = data.schema
	}
	return answer, nil
}

func (p *provider) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (p *provider) PrepareProviderConfig(_ context.Context, q *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: q.Config}, nil
}

func (p *provider) ConfigureProvider(context.Context, *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

func (p *provider) ValidateResourceTypeConfig(context.Context, *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	return &tfprotov5.ValidateResourceTypeConfigResponse{}, nil
}

func (p *provider) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

func (p *provider) UpgradeResourceState(_ context.Context, q *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	resource := p.declared.resources[q.TypeName].schema.ValueType()
	state, err := q.RawState.Unmarshal(resource)
	if err != nil {
		return nil, err
	}
	upgraded, err := tfprotov5.NewDynamicValue(resource, state)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &upgraded}, err
}

// ReadResource finds everything as it was left.
func (p *provider) ReadResource(_ context.Context, q *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	return &tfprotov5.ReadResourceResponse{NewState: q.CurrentState, Private: q.Private}, nil
}

// PlanResourceChange leaves open what only a cloud knows, as the providers do.
func (p *provider) PlanResourceChange(_ context.Context, q *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	planned, err := p.declared.resources[q.TypeName].transform(q.ProposedNewState, func(at *tfprotov5.SchemaAttribute, v tftypes.Value) tftypes.Value {
		if at.Computed && v.IsNull() {
			return tftypes.NewValue(at.Type, tftypes.UnknownValue)
		}
		return v
	})
	return &tfprotov5.PlanResourceChangeResponse{PlannedState: planned, PlannedPrivate: q.PriorPrivate}, err
}

// ApplyResourceChange makes what was planned. What was left open depends on all else, and on nothing else: the same
// configuration gets the same answers.
func (p *provider) ApplyResourceChange(_ context.Context, q *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	resource := p.declared.resources[q.TypeName]
	planned, err := q.PlannedState.Unmarshal(resource.schema.ValueType())
	if err != nil {
		return nil, err
	}
	made := newMaker(q.TypeName, planned)
	state, err := resource.transform(q.PlannedState, func(at *tfprotov5.SchemaAttribute, v tftypes.Value) tftypes.Value {
		if !v.IsKnown() {
			return made.value(at)
		}
		return v
	})
	return &tfprotov5.ApplyResourceChangeResponse{NewState: state, Private: q.PlannedPrivate}, err
}

func (p *provider) ReadDataSource(_ context.Context, q *tfprotov5.ReadDataSourceRequest) (*tfprotov5.ReadDataSourceResponse, error) {
	data := p.declared.data[q.TypeName]
	config, err := q.Config.Unmarshal(data.schema.ValueType())
	if err != nil {
		return nil, err
	}
	made := newMaker(q.TypeName, config)
	state, err := data.transform(q.Config, func(at *tfprotov5.SchemaAttribute, v tftypes.Value) tftypes.Value {
		if at.Computed && v.IsNull() {
			return made.value(at)
		}
		return v
	})
	return &tfprotov5.ReadDataSourceResponse{State: state}, err
}

// transform gives each attribute of a value to f and puts what f returns in its place.
func (o *object) transform(value *tfprotov5.DynamicValue, f func(*tfprotov5.SchemaAttribute, tftypes.Value) tftypes.Value) (*tfprotov5.DynamicValue, error) {
	typ := o.schema.ValueType()
	v, err := value.Unmarshal(typ)
	if err != nil || v.IsNull() {
		return value, err
	}
	v, err = tftypes.Transform(v, func(at *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		var names []string
		for _, step := range at.Steps() {
			if name, ok := step.(tftypes.AttributeName); ok {
				names = append(names, string(name))
			}
		}
		attribute := o.attributes[strings.Join(names, ".")]
		if attribute == nil || !v.Type().Equal(attribute.Type) {
			return v, nil // a block, or an element of an attribute
		}
		return f(attribute, v), nil
	})
	if err != nil {
		return nil, err
	}
	transformed, err := tfprotov5.NewDynamicValue(typ, v)
	return &transformed, err
}

// looks are what the modules hand on to users, as a cloud would say it. Everything else is named after its attribute.
var looks = map[string]string{
	"aws_ebs_volume.id":                         "vol-NUMBER",
	"aws_efs_file_system.dns_name":              "fs-NUMBER.efs.us-west-2.amazonaws.com",
	"aws_efs_file_system.id":                    "fs-NUMBER",
	"aws_partition.partition":                   "aws",
	"azurerm_managed_disk.id":                   "/subscriptions/fake/resourceGroups/fake/providers/Microsoft.Compute/disks/NAME",
	"azurerm_storage_account.primary_file_host": "NAME.file.core.windows.net",
	"google_compute_disk.id":                    "projects/fake/zones/fake/disks/NAME",
}

// maker makes up what a cloud would answer about one resource.
type maker struct {
	typeName, name string
	number         uint32
}

func newMaker(typeName string, of tftypes.Value) *maker {
	hash := fnv.New32a()
	hash.Write([]byte(typeName + of.String()))
	m := &maker{typeName: typeName, number: hash.Sum32()}
	var attributes map[string]tftypes.Value
	if of.As(&attributes) == nil && attributes["name"].IsKnown() {
		_ = attributes["name"].As(&m.name) // a resource may have no name
	}
	return m
}

func (m *maker) value(of *tfprotov5.SchemaAttribute) tftypes.Value {
	switch {
	case strings.HasPrefix(of.Name, "ip_address"):
		address := tftypes.NewValue(tftypes.String, fmt.Sprintf("10.%d.%d.%d", m.number>>16&0xff, m.number>>8&0xff, m.number&0xff))
		if of.Type.Is(tftypes.String) {
			return address
		}
		return tftypes.NewValue(of.Type, []tftypes.Value{address})
	case of.Type.Is(tftypes.String):
		look, known := looks[m.typeName+"."+of.Name]
		if !known {
			look = of.Name + "-NUMBER"
		}
		return tftypes.NewValue(of.Type, strings.NewReplacer("NAME", m.name, "NUMBER", fmt.Sprintf("%08x", m.number)).Replace(look))
	case of.Type.Is(tftypes.Number):
		return tftypes.NewValue(of.Type, 1)
	case of.Type.Is(tftypes.Bool):
		return tftypes.NewValue(of.Type, false)
	case of.Type.Is(tftypes.Map{}):
		return tftypes.NewValue(of.Type, map[string]tftypes.Value{})
	default:
		return tftypes.NewValue(of.Type, []tftypes.Value{})
	}
}
