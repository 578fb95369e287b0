#pragma once
/// The functions of a library by which `gainstage-lab bench --all --beside FILE.so` measures the models of
/// another engine. README.md says how to make one.

#ifdef __cplusplus
extern "C" {
#endif

/// A model of the same size as `exhibit`, a row of `bench --all` ("GRU 8"), with weights of its own choice.
/// Null if there is none.
void* gainstage_peer_make(const char* exhibit);
/// Writes `frames` samples to `out`, computed from as many at `in`; at most 512.
void gainstage_peer_play(void* model, const float* in, float* out, int frames);
void gainstage_peer_destroy(void* model);

#ifdef __cplusplus
}
#endif
