//go:build e2e && !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "load: error: it measures with epoll, taskset and /proc, which are Linux's")
	fmt.Fprintln(os.Stderr, "load: hint: run make load on Linux, or in a virtual machine with two cores")
	os.Exit(1)
}
