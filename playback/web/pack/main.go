// Command pack makes web.z of the page's files. go generate runs it in the folder above.
package main

import (
	"fmt"
	"os"

	"relay/playback/web"
)

func main() {
	b, err := web.Pack(os.DirFS("."))
	if err == nil {
		err = os.WriteFile("web.z", b, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}
