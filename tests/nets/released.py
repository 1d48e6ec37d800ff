"""The released pix2pix networks' structure and names, written anew from their description."""

import torch
from torch import nn


class UnetSkipConnectionBlock(nn.Module):
    def __init__(self, outer, inner, entering, inside, norm, place, dropped=False):
        super().__init__()
        self.place = place
        bias = norm is nn.InstanceNorm2d
        down = nn.Conv2d(entering, inner, 4, 2, 1, bias=bias)
        leaving = inner if place == "innermost" else 2 * inner
        up = nn.ConvTranspose2d(leaving, outer, 4, 2, 1, bias=bias or place == "outermost")
        leaky, relu = nn.LeakyReLU(0.2, True), nn.ReLU(True)
        if place == "outermost":
            layers = [down, inside, relu, up, nn.Tanh()]
        elif place == "innermost":
            layers = [leaky, down, relu, up, norm(outer)]
        else:
            layers = [leaky, down, norm(inner), inside, relu, up, norm(outer)]
            layers += [nn.Dropout(0.5)] if dropped else []
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.place == "outermost" else torch.cat([x, self.model(x)], 1)


class UnetGenerator(nn.Module):
    def __init__(self, entering, leaving, depth, width, norm, dropout=True):
        super().__init__()
        block = UnetSkipConnectionBlock(8 * width, 8 * width, 8 * width, None, norm, "innermost")
        for _ in range(depth - 5):
            block = UnetSkipConnectionBlock(8 * width, 8 * width, 8 * width, block, norm, "middle", dropout)
        for factor in (4, 2, 1):
            outer = factor * width
            block = UnetSkipConnectionBlock(outer, 2 * outer, outer, block, norm, "middle")
        self.model = UnetSkipConnectionBlock(leaving, width, entering, block, norm, "outermost")

    def forward(self, x):
        return self.model(x)


class ResnetBlock(nn.Module):
    def __init__(self, width, norm, dropout):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        layers = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm(width), nn.ReLU(True)]
        layers += [nn.Dropout(0.5)] if dropout else []
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm(width)]
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.conv_block(x)


class ResnetGenerator(nn.Module):
    def __init__(self, entering, leaving, width, blocks, norm, dropout=False):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(entering, width, 7, bias=bias), norm(width), nn.ReLU(True)]
        for factor in (1, 2):
            after = 2 * factor * width
            layers += [nn.Conv2d(factor * width, after, 3, 2, 1, bias=bias), norm(after), nn.ReLU(True)]
        layers += [ResnetBlock(4 * width, norm, dropout) for _ in range(blocks)]
        for factor in (4, 2):
            before, after = factor * width, factor * width // 2
            layers += [
                nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1, bias=bias),
                norm(after),
                nn.ReLU(True),
            ]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, leaving, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class NLayerDiscriminator(nn.Module):
    def __init__(self, entering, width, depth, norm):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        layers, before = [nn.Conv2d(entering, width, 4, 2, 1), nn.LeakyReLU(0.2, True)], width
        for layer in range(1, depth + 1):
            after = width * min(2**layer, 8)
            stride = 2 if layer < depth else 1
            layers += [
                nn.Conv2d(before, after, 4, stride, 1, bias=bias),
                norm(after),
                nn.LeakyReLU(0.2, True),
            ]
            before = after
        self.model = nn.Sequential(*layers, nn.Conv2d(before, 1, 4, 1, 1))

    def forward(self, x):
        return self.model(x)


class PixelDiscriminator(nn.Module):
    def __init__(self, entering, width, norm):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        self.net = nn.Sequential(
            nn.Conv2d(entering, width, 1),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(width, 2 * width, 1, bias=bias),
            norm(2 * width),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(2 * width, 1, 1, bias=bias),
        )

    def forward(self, x):
        return self.net(x)
