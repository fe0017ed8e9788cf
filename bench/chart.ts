/** The result as a picture: for each kind of key how many times the floor each contender takes. */
import type { Row } from './report.ts';

const width = 860;
const left = 215;
const barHeight = 9;
const groupHeight = 30;
const colors = { ours: '#2f6fab', library: '#d18b47' } as const;
type Contender = keyof typeof colors;

/** Bars end here: what takes longer says so in figures. */
const most = 20;

/** Draws `seal` and `open` of one size as SVG. */
export function chart(rows: readonly Row[], size: number, title: string): string {
  const shown = rows.filter((row) => row.size === size && (row.operation === 'seal' || row.operation === 'open'));
  const height = 64 + shown.length * groupHeight;
  const perTime = (width - left - 70) / Math.log2(most);
  const lengthOf = (ratio: number): number => Math.max(2, Math.log2(Math.min(Math.max(ratio, 1.02), most)) * perTime);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="20" font-size="14">${title}</text>`,
  ];
  for (const ratio of [1, 2, 4, 8, 16]) {
    const x = (left + Math.log2(ratio) * perTime).toFixed(1);
    parts.push(
      `<line x1="${x}" y1="40" x2="${x}" y2="${height - 12}" stroke="#e3e7eb"/>`,
      `<text x="${x}" y="36" text-anchor="middle" fill="#52606d">${ratio}x</text>`,
    );
  }
  shown.forEach((row, i) => {
    const y = 48 + i * groupHeight;
    parts.push(`<text x="${left - 8}" y="${y + 14}" text-anchor="end">${row.kind}, ${row.operation}</text>`);
    const bars: readonly (readonly [Contender, number | undefined])[] = [
      ['ours', row.ours / row.raw],
      ['library', row.library === undefined ? undefined : row.library / row.raw],
    ];
    bars.forEach(([name, ratio], k) => {
      if (ratio === undefined) return;
      const top = y + k * (barHeight + 1);
      const length = lengthOf(ratio);
      const label = `${ratio.toFixed(ratio < 10 ? 2 : 0)}x`;
      parts.push(
        `<rect x="${left}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" fill="${colors[name]}"/>`,
        `<text x="${(left + length + 4).toFixed(1)}" y="${top + barHeight}" font-size="10">${label}</text>`,
      );
    });
  });
  const legend = (['ours', 'library'] as const).map(
    (name, i) =>
      `<rect x="${width - 190 + i * 70}" y="11" width="10" height="10" fill="${colors[name]}"/>` +
      `<text x="${width - 176 + i * 70}" y="20">${name}</text>`,
  );
  return `${[...parts, ...legend, '</svg>'].join('\n')}\n`;
}
