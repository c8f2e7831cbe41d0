//go:build tools

// Package tools pins what is built here: the Pulumi CLI, for machines where its release cannot be downloaded.
// `python -m edgewright.engine` runs the build; go.sum holds the hash of every module that goes into it.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
