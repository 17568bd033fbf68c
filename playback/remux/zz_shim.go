package remux

import ("net"; "errors")

func (m *MP4) Join(bool) (net.Buffers, error) { return nil, errors.New("shim") }
func (m *TS) Join(bool) (net.Buffers, error) { return nil, errors.New("shim") }
