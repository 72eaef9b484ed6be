"""Build step that pyproject.toml cannot express: exclude the modules of the root that are not part of the package."""

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildPackage(build_py):
    """Build command that leaves out noxfile.py and setup.py."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return package, name and path of each module."""
        found = super().find_package_modules(package, package_dir)
        return [module for module in found if module[1] not in ("noxfile", "setup")]


setup(cmdclass={"build_py": BuildPackage})
