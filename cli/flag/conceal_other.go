//go:build !linux

package flag

func blot(string) {}
