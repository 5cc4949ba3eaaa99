// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The files say what the providers declare, one line an attribute or a block: its path, its type, and who sets it. Those of
// <provider>.txt come from the provider itself, those of <provider>-transcribed.txt were written down by hand.
//
//go:embed schema/*.txt
var schemaFiles embed.FS

// types are those that the files use.
var types = map[string]tftypes.Type{
	"string":       tftypes.String,
	"number":       tftypes.Number,
	"bool":         tftypes.Bool,
	"list(string)": tftypes.List{ElementType: tftypes.String},
	"list(number)": tftypes.List{ElementType: tftypes.Number},
	"set(string)":  tftypes.Set{ElementType: tftypes.String},
	"map(string)":  tftypes.Map{ElementType: tftypes.String},
}

var nestings = map[string]tfprotov5.SchemaNestedBlockNestingMode{
	"list":   tfprotov5.SchemaNestedBlockNestingModeList,
	"set":    tfprotov5.SchemaNestedBlockNestingModeSet,
	"single": tfprotov5.SchemaNestedBlockNestingModeSingle,
}

// object is a resource, a data source, or the provider's configuration.
type object struct {
	schema *tfprotov5.Schema
	// attributes and blocks by their paths, such as networks.ip_addresses. The block without a path is the object itself.
	attributes map[string]*tfprotov5.SchemaAttribute
	blocks     map[string]*tfprotov5.SchemaBlock
}

func newObject() *object {
	block := &tfprotov5.SchemaBlock{}
	return &object{
		schema:     &tfprotov5.Schema{Block: block},
		attributes: map[string]*tfprotov5.SchemaAttribute{},
		blocks:     map[string]*tfprotov5.SchemaBlock{"": block},
	}
}

// add adds what a line of a file says, split into words.
func (o *object) add(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("%d words, want a path, a type and who sets it", len(words))
	}
	parent, name := "", words[0]
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		parent, name = name[:dot], name[dot+1:]
	}
	in := o.blocks[parent]
	if in == nil {
		return fmt.Errorf("%s is in block %s, which is not declared above it", words[0], parent)
	}
	if words[1] == "block" {
		nesting, known := nestings[words[2]]
		if !known {
			return fmt.Errorf("nesting %q of block %s is unknown", words[2], words[0])
		}
		nested := &tfprotov5.SchemaNestedBlock{TypeName: name, Nesting: nesting, Block: &tfprotov5.SchemaBlock{}}
		for _, flag := range words[3:] {
			if flag != "required" {
				return fmt.Errorf("flag %q of block %s is unknown", flag, words[0])
			}
			nested.MinItems = 1
		}
		in.BlockTypes = append(in.BlockTypes, nested)
		o.blocks[words[0]] = nested.Block
		return nil
	}
	attribute := &tfprotov5.SchemaAttribute{Name: name, Type: types[words[1]]}
	if attribute.Type == nil {
		return fmt.Errorf("type %q of %s is unknown", words[1], words[0])
	}
	for _, flag := range words[2:] {
		switch flag {
		case "required":
			attribute.Required = true
		case "optional":
			attribute.Optional = true
		case "computed":
			attribute.Computed = true
		default:
			return fmt.Errorf("flag %q of %s is unknown", flag, words[0])
		}
	}
	in.Attributes = append(in.Attributes, attribute)
	o.attributes[words[0]] = attribute
	return nil
}

// declared is all that a provider declares.
type declared struct {
	provider        *object
	resources, data map[string]*object
}

// declarations reads the files of a provider.
func declarations(provider string) (*declared, error) {
	d := &declared{provider: newObject(), resources: map[string]*object{}, data: map[string]*object{}}
	for _, name := range []string{provider + ".txt", provider + "-transcribed.txt"} {
		if err := d.read(name); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	return d, nil
}

func (d *declared) read(name string) error {
	text, err := fs.ReadFile(schemaFiles, path.Join("schema", name))
	if err != nil {
		return err
	}
	var in *object
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for number := 1; lines.Scan(); number++ {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0 || words[0] == "#":
		case strings.HasPrefix(lines.Text(), " "):
			if in == nil {
				return fmt.Errorf("line %d is of nothing", number)
			}
			if err := in.add(words); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		case len(words) == 1 && words[0] == "provider":
			in = d.provider
		case len(words) == 2 && words[0] == "resource":
			in = newObject()
			d.resources[words[1]] = in
		case len(words) == 2 && words[0] == "data":
			in = newObject()
			d.data[words[1]] = in
		default:
			return fmt.Errorf("line %d begins neither with provider, resource, data nor with a space", number)
		}
	}
	return lines.Err()
}
