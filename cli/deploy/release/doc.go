// Command release builds what people install: `make release`.
//
// It writes to bin/release, for every system in targets, a program without symbols (build.go) and
// an archive of it with the licence and what to read (archive.go); a Debian package for Linux
// (deb.go); the licences of its libraries (notices.go); what each program is made of, as CycloneDX
// (sbom.go); what package managers and containers are told, with sums (recipes.go); and SHA256SUMS over
// all files.
//
// The same commit gives the same bytes in any folder and on any machine with the same version of
// Go: no path, name, or time of the machine goes in. Times are the commit's.
package main
