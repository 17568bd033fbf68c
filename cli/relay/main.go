// Command relay sends live video from one person to many without a server.
package main

import (
	"os"

	"relay/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
