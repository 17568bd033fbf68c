package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path"
	"time"
)

// file is one that is packed. A folder's name ends in a slash, and it has no data.
type file struct {
	name string
	data []byte
	mode int64
}

// documents are what comes with every program.
func documents() ([]file, error) {
	var docs []file
	for _, p := range []string{"README.md", "LICENSE", "SECURITY.md", "cli/deploy/CHANGES.md"} {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		docs = append(docs, file{path.Base(p), b, 0o644})
	}
	return docs, nil
}

// within returns files as they are in a folder.
func within(folder string, files []file) []file {
	in := []file{{folder + "/", nil, 0o755}}
	for _, f := range files {
		f.name = folder + "/" + f.name
		in = append(in, f)
	}
	return in
}

// tarOf packs files, in this order, as root's.
func tarOf(files []file, made time.Time) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{
			Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: made,
			Uname: "root", Gname: "root", Format: tar.FormatUSTAR, Typeflag: tar.TypeReg,
		}
		if f.name[len(f.name)-1] == '/' {
			h.Typeflag = tar.TypeDir
		}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// zipOf packs files, in this order.
func zipOf(files []file, made time.Time) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: made})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
