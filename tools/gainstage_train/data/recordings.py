"""Real recordings to play through reference compressors: the samples of Sonic Pi as Debian packages them
(sonic-pi-samples, all CC0), 44.1 kHz, brought to the data set's rate. No recording is in two splits, nor are
two recordings that share a source (the parts and the whole of a loop)."""

from __future__ import annotations

import os
from math import gcd

import numpy as np
from scipy import signal

from gainstage_files.problem import NO_INPUT, Problem
from . import sound
from .pairs import TEST, TRAIN, VALIDATION

FOLDER = "/usr/share/sonic-pi/samples"
SOURCE = "recordings from freesound.org in Debian's sonic-pi-samples (CC0)"

# Played on, looped where they are short: phrases, loops, sustained sounds.
PHRASES = {
    TRAIN: """guit_e_fifths guit_harmonics bass_thick_c bass_trance_c bass_dnb_f bass_voxy_c bass_drop_c ambi_piano
              ambi_drone ambi_glass_rub ambi_lunar_land loop_amen loop_amen_full loop_industrial loop_garzul loop_safari
              loop_compus loop_electric loop_mehackit1 loop_perc1 loop_3d_printer drum_roll mehackit_robot1
              mehackit_robot2 mehackit_robot3 mehackit_robot4 mehackit_phone1 mehackit_phone2 glitch_robot1
              misc_cineboom perc_till vinyl_rewind tabla_ghe5 tabla_ghe6 tabla_tun1""".split(),
    VALIDATION: """guit_e_slide bass_hard_c ambi_glass_hum loop_mika loop_perc2 mehackit_robot5 mehackit_phone3
                   glitch_robot2 tabla_tun2 perc_bell""".split(),
    TEST: """guit_em9 bass_woodsy_c loop_breakbeat loop_tabla loop_mehackit2 loop_weirdo mehackit_robot6 mehackit_phone4
             ambi_choir glitch_bass_g tabla_ghe2 perc_bell2 loop_drone_g_97""".split(),
}
# Played as hits of a pattern.
HITS = {
    TRAIN: """bd_ada bd_boom bd_fat bd_haus bd_klub bd_tek bd_zum drum_bass_hard drum_heavy_kick drum_snare_hard
              drum_cymbal_closed drum_cymbal_open drum_tom_lo_hard drum_tom_hi_soft drum_cowbell elec_snare
              elec_hi_snare elec_hollow_kick elec_twang elec_bell sn_dolf sn_dub perc_snap tabla_na tabla_ke1 tabla_ghe4 tabla_tas1
              bass_voxy_hit_c elec_blup misc_crow perc_door""".split(),
    VALIDATION: """bd_gas bd_pure drum_snare_soft drum_cymbal_pedal drum_tom_mid_hard sn_generic elec_wood tabla_te2
                   bass_hit_c elec_triangle""".split(),
    TEST: """bd_808 bd_sone bd_zome drum_bass_soft drum_tom_lo_soft drum_splash_hard drum_cymbal_hard sn_zome
             elec_mid_snare elec_ping perc_snap2 tabla_ghe7 tabla_re elec_bong""".split(),
}


def missing(folder: str = FOLDER) -> Problem | None:
    """A Problem that says where they come from, or None."""
    if os.path.isfile(os.path.join(folder, "guit_em9.flac")):
        return None
    return Problem(
        f"{folder}: holds no recordings to generate data from (Debian: apt install sonic-pi-samples; "
        "elsewhere: the etc/samples folder of Sonic Pi, given as --recordings)",
        NO_INPUT,
    )


def resampled(x: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """x [samples] at another rate: polyphase, flat to 0.45 of the lower rate within 0.01 dB, images below
    -100 dB."""
    if rate == wanted:
        return x
    divisor = gcd(int(round(rate)), int(round(wanted)))
    up, down = int(round(wanted)) // divisor, int(round(rate)) // divisor
    half = 64 * max(up, down)
    taps = signal.firwin(2 * half + 1, 0.955 / max(up, down), window=("kaiser", 10.0))
    return signal.resample_poly(x, up, down, window=taps)


class Library:
    """Reads recordings as mono float64 at one rate, peak 1, each once."""

    def __init__(self, sample_rate: float, folder: str = FOLDER) -> None:
        self.sample_rate, self.folder = sample_rate, folder
        self.read: dict[str, np.ndarray] = {}

    def __call__(self, name: str) -> np.ndarray:
        if name not in self.read:
            self.read[name] = self._load(os.path.join(self.folder, name + ".flac"))
        return self.read[name]

    def _load(self, path: str) -> np.ndarray:
        with sound.opened(path) as descriptor:
            x, rate = sound.library().read(descriptor, always_2d=True, closefd=False)
        x = resampled(x.mean(axis=1), rate, self.sample_rate)
        return x / max(np.max(np.abs(x)), 1e-9)
