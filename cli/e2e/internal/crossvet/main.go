//go:build e2e

// Command crossvet does for other systems what go vet does for this one: it checks that every
// package and test compiles there, and looks for what vet looks for. go vet would compile the
// standard library and all modules for each system, which takes minutes where nothing is
// cached. This command reads their declarations from source, which takes seconds.
//
//	crossvet SYSTEM...
package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/passes/appends"
	"golang.org/x/tools/go/analysis/passes/assign"
	"golang.org/x/tools/go/analysis/passes/atomic"
	"golang.org/x/tools/go/analysis/passes/bools"
	"golang.org/x/tools/go/analysis/passes/buildtag"
	"golang.org/x/tools/go/analysis/passes/composite"
	"golang.org/x/tools/go/analysis/passes/copylock"
	"golang.org/x/tools/go/analysis/passes/defers"
	"golang.org/x/tools/go/analysis/passes/directive"
	"golang.org/x/tools/go/analysis/passes/errorsas"
	"golang.org/x/tools/go/analysis/passes/httpresponse"
	"golang.org/x/tools/go/analysis/passes/ifaceassert"
	"golang.org/x/tools/go/analysis/passes/loopclosure"
	"golang.org/x/tools/go/analysis/passes/nilfunc"
	"golang.org/x/tools/go/analysis/passes/shift"
	"golang.org/x/tools/go/analysis/passes/stdmethods"
	"golang.org/x/tools/go/analysis/passes/stringintconv"
	"golang.org/x/tools/go/analysis/passes/structtag"
	"golang.org/x/tools/go/analysis/passes/unmarshal"
	"golang.org/x/tools/go/analysis/passes/unreachable"
	"golang.org/x/tools/go/analysis/passes/unsafeptr"
	"golang.org/x/tools/go/packages"
)

// analyzers are vet's, except those that follow calls into other packages (printf, lostcancel,
// and so on). Those would need the bodies of all functions there.
var analyzers = []*analysis.Analyzer{
	appends.Analyzer, assign.Analyzer, atomic.Analyzer, bools.Analyzer, buildtag.Analyzer,
	composite.Analyzer, copylock.Analyzer, defers.Analyzer, directive.Analyzer, errorsas.Analyzer,
	httpresponse.Analyzer, ifaceassert.Analyzer, loopclosure.Analyzer, nilfunc.Analyzer,
	shift.Analyzer, stdmethods.Analyzer, stringintconv.Analyzer, structtag.Analyzer,
	unmarshal.Analyzer, unreachable.Analyzer, unsafeptr.Analyzer,
}

func main() {
	bad := false
	for _, system := range os.Args[1:] {
		if err := vet(system); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", system, err)
			bad = true
		}
	}
	if bad {
		os.Exit(1)
	}
}

var errFound = errors.New("see above")

// tagsFor includes the end-to-end tests on systems where they can run: they need Unix.
func tagsFor(system string) []string {
	if system == "windows" {
		return nil
	}
	return []string{"-tags=e2e"}
}

// vet checks every package of the module in the working directory.
func vet(system string) error {
	pkgs, err := packages.Load(&packages.Config{
		Mode:       packages.LoadAllSyntax,
		Env:        append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0"),
		BuildFlags: tagsFor(system),
		Tests:      true,
	}, "./...")
	if err != nil {
		return err
	}
	if packages.PrintErrors(pkgs) > 0 {
		return errFound
	}
	found, err := checker.Analyze(analyzers, pkgs, nil)
	if err != nil {
		return err
	}
	if err := found.PrintText(os.Stderr, -1); err != nil {
		return err
	}
	for _, a := range found.Roots {
		if a.Err != nil {
			return a.Err
		}
		if len(a.Diagnostics) > 0 {
			return errFound
		}
	}
	return nil
}
