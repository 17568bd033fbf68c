//go:build !linux

package hostnet

import "context"

// Changes is nil: interfaces are looked at from time to time instead.
func Changes(context.Context) <-chan struct{} { return nil }
