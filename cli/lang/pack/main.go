// Command pack makes words.z of the catalogues in words/. go generate runs it in the folder above.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"relay/cli/lang"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run() error {
	var all [][]lang.Entry
	for _, code := range lang.Codes[1:] {
		name := filepath.Join("words", code+".txt")
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		entries, err := lang.Parse(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, entries)
	}
	b, err := lang.Pack(all)
	if err != nil {
		return err
	}
	return os.WriteFile("words.z", b, 0o644)
}
