//go:build race

package treetest_test

const raceEnabled = true
