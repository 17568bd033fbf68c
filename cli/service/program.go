package service

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrTemporary is that of a program that is gone when `go run` ends.
var ErrTemporary = errors.New("temporary")

// Program returns the path of this program that will still be right after it was updated: of the one
// on PATH if that is this one, as package managers keep a link there to a folder with the version in its
// name. It fails for one that `go run` has built, which is gone when that ends.
func Program() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", err
	}
	found, err := exec.LookPath(filepath.Base(own))
	if err != nil {
		found = ""
	}
	return lasting(own, found, filepath.EvalSymlinks)
}

// lasting is Program for the program itself and what PATH has under its name, "" for nothing.
func lasting(own, found string, resolve func(string) (string, error)) (string, error) {
	real, err := resolve(own)
	if err != nil {
		return "", err
	}
	if strings.Contains(filepath.ToSlash(real), "/go-build") {
		return "", ErrTemporary
	}
	if abs, err := filepath.Abs(found); found != "" && err == nil {
		if r, err := resolve(abs); err == nil && r == real {
			return abs, nil
		}
	}
	return own, nil
}
