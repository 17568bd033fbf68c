//go:build !linux

package discovery

import "context"

// changes is nil: interfaces are looked at from time to time instead.
func changes(context.Context) <-chan struct{} { return nil }
