// Command relay sends live video from one person to many without a server.
package main

import (
	"os"

	"relay/cli"
	"relay/cli/flag"
)

func main() {
	os.Exit(cli.Main(flag.Conceal(os.Args), cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
