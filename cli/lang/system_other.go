//go:build !windows

package lang

// System returns nil: the environment tells. On macOS the terminals set LANG.
func System() []string { return nil }
