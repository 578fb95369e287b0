"""BatchNorm without a gain and an offset of its own, as trained models keep it: a mean and a variance for each channel."""

import torch

from .model import array

EPSILON = 1e-5
SETTLED = 400  # pieces of training after which the numbers stay as they are: what is trained is then what is played


class Norm(torch.nn.Module):
    """x [channels, ...]. While training starts, by the mean and variance of what it hears, which it remembers; once settled, and
    in eval(), by what it remembers."""

    def __init__(self, channels, settled=SETTLED, momentum=0.05):
        super().__init__()
        self.settled, self.momentum = settled, momentum
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("pieces", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        shape = (-1,) + (1,) * (x.dim() - 1)
        mean, variance = self.mean, self.variance
        if self.training and int(self.pieces) < self.settled and torch.is_grad_enabled():
            rows = x.flatten(1)
            mean = rows.mean(1)
            variance = (rows.square().mean(1) - mean.square()).clamp_min(0.0)
            self.remember(mean.detach(), variance.detach())
        scale = torch.rsqrt(variance + EPSILON)
        return scale.view(shape), (-mean * scale).view(shape)

    def remember(self, mean, variance):
        self.pieces += 1
        share = max(self.momentum, 1.0 / float(self.pieces))
        self.mean += share * (mean - self.mean)
        self.variance += share * (variance - self.variance)

    def tensors(self):
        return {"norm.mean": array(self.mean), "norm.variance": array(self.variance)}


def folded(norm, x, gain, offset):
    """-> gain and offset [channels, 1, batch] of what FiLM's [batch, channels] make of the normalised x [channels, time, batch]"""
    scale, shift = norm(x)
    gain, offset = gain.T[:, None], offset.T[:, None]
    return gain * scale, gain * shift + offset
